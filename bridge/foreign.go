package bridge

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"unicode"
	"unicode/utf8"
)

// A Foreign text is one by a stranger for the log: a path, a host, an origin, a reason. With
// slog's handlers, nothing in it can end the line, move the cursor of a terminal or change
// the direction of what is read.
type Foreign string

// maxForeign is how many bytes of a stranger's text are logged. Readers of logs cut long
// lines (journald at 48 KiB), and take what follows for a line of its own.
const maxForeign = 512

// String is the text, cut at the edge of a character.
func (f Foreign) String() string {
	if len(f) <= maxForeign {
		return string(f)
	}
	end := maxForeign
	for end > maxForeign-utf8.UTFMax && !utf8.RuneStart(f[end]) {
		end--
	}
	return string(f[:end]) + "…"
}

// MarshalText is for slog.TextHandler, which writes what cannot be printed as strconv.Quote
// does.
func (f Foreign) MarshalText() ([]byte, error) { return []byte(f.String()), nil }

// MarshalJSON writes more than JSON demands as \uNNNN: DEL, the control characters of C1
// and those that change the direction.
func (f Foreign) MarshalJSON() ([]byte, error) {
	text, err := json.Marshal(f.String())
	if err != nil || bytes.IndexFunc(text, isUnprintable) < 0 {
		return text, err
	}
	var b bytes.Buffer
	for _, r := range string(text) {
		if isUnprintable(r) {
			fmt.Fprintf(&b, `\u%04x`, r)
		} else {
			b.WriteRune(r)
		}
	}
	return b.Bytes(), nil
}

func isUnprintable(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) }

// quoted is a foreign text within another one.
func quoted(s string) string { return strconv.Quote(Foreign(s).String()) }

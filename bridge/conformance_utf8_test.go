package bridge

import (
	"encoding/hex"
	"fmt"
	"strings"
	"unicode/utf8"
)

// kosme is the Greek word for world, with its accent as the suite writes it.
const kosme = "κ\u1f79σμε"

// Case 6: text is UTF-8. Invalid text fails the connection with 1007.
func utf8Cases() []wireCase {
	const (
		mixed = "Hello-µ@ßöäüàá-UTF-8!!"
		bad   = kosme + "\xed\xa0\x80edited"
	)
	// The bridge fails fast, without the last fragment of 6.4.1 and 6.4.2.
	// Within a frame the library returns nothing before it has what was asked for.
	nonStrict := "non-strict: the rest of a frame is waited for before its beginning is looked at"
	wholeFrame := func(parts ...string) [][]byte { // one frame, sent in parts
		frame := text(strings.Join(parts, ""))
		var writes [][]byte
		for i := len(parts) - 1; i > 0; i-- {
			n := len(frame) - len(parts[i])
			writes = append([][]byte{frame[n:]}, writes...)
			frame = frame[:n]
		}
		return append([][]byte{frame}, writes...)
	}
	cases := []wireCase{
		{id: "6.1.1", frames: one(text("")), want: []reply{echo("")}},
		{id: "6.1.2", frames: textMessage("", "", ""), want: []reply{echo("")}},
		{id: "6.1.3", frames: textMessage("", "middle frame payload", ""), want: []reply{echo("middle frame payload")}},
		{id: "6.2.1", frames: textMessage(mixed), want: []reply{echo(mixed)}},
		{id: "6.2.2", frames: textMessage(mixed[:12], mixed[12:]), want: []reply{echo(mixed)}},
		{id: "6.2.3", frames: textMessage(cut(mixed, 1)...), want: []reply{echo(mixed)}},
		{id: "6.2.4", frames: textMessage(cut(kosme, 1)...), want: []reply{echo(kosme)}},
		{id: "6.3.1", frames: textMessage(bad), fails: 1007},
		{id: "6.3.2", frames: textMessage(cut(bad, 1)...), fails: 1007},
		{id: "6.4.1", frames: textMessage(kosme, "\xf4\x90\x80\x80", "edited")[:2], chop: byFrame, fails: 1007},
		{id: "6.4.2", frames: textMessage(kosme+"\xf4", "\x90", "\x80\x80edited")[:2], chop: byFrame, fails: 1007},
		{id: "6.4.3", frames: wholeFrame(kosme, "\xf4\x90\x80\x80", "edited"), chop: byFrame, fails: 1007, note: nonStrict},
		{id: "6.4.4", frames: wholeFrame(kosme+"\xf4", "\x90", "\x80\x80edited"), chop: byFrame, fails: 1007, note: nonStrict},
	}
	for i, group := range utf8Groups() {
		for k, s := range group.sequences {
			c := wireCase{id: fmt.Sprintf("6.%d.%d", i+5, k+1), frames: one(text(s))}
			if good := group.validity[k%len(group.validity)] == 'v'; good != utf8.ValidString(s) {
				panic(c.id) // the table is wrong
			} else if good {
				c.want = []reply{echo(s)}
			} else {
				c.fails = 1007
			}
			cases = append(cases, c)
		}
	}
	return cases
}

// A utf8Group is a group of sequences after Markus Kuhn's "UTF-8 decoder
// capability and stress test", most of them in hexadecimal digits. Its validity has a letter
// for each sequence, valid or invalid, and repeats.
type utf8Group struct {
	validity  string
	sequences []string
}

// utf8Groups are the groups 6.5 to 6.23.
func utf8Groups() []utf8Group {
	group := func(validity, digits string) utf8Group {
		g := utf8Group{validity: validity}
		for _, d := range strings.Fields(digits) {
			b, err := hex.DecodeString(d)
			if err != nil {
				panic(err)
			}
			g.sequences = append(g.sequences, string(b))
		}
		return g
	}
	prefixes := utf8Group{validity: "iviiviviviv"}
	for n := range len(kosme) {
		prefixes.sequences = append(prefixes.sequences, kosme[:n+1])
	}
	var continuations string
	for b := 0x80; b < 0xc0; b++ {
		continuations += fmt.Sprintf("%02x", b)
	}
	spaced := func(from, to int) (digits string) { // lonely start bytes, each followed by a space
		for b := from; b < to; b++ {
			digits += fmt.Sprintf("%02x20", b)
		}
		return digits
	}
	lonely := []string{spaced(0xc0, 0xe0), spaced(0xe0, 0xf0), spaced(0xf0, 0xf8), spaced(0xf8, 0xfc), spaced(0xfc, 0xfe)}
	const incomplete = "c0 e080 f08080 f8808080 fc80808080 df efbf f7bfbf fbbfbfbf fdbfbfbfbf"
	nonCharacters := "efbfbe efbfbf"
	for plane := 1; plane <= 16; plane++ {
		nonCharacters += fmt.Sprintf(" %x %x", string(rune(plane<<16|0xfffe)), string(rune(plane<<16|0xffff)))
	}
	return []utf8Group{
		{"v", []string{"hello$world", "hello¢world", "hello€world", "hello𤭢world", kosme}},
		prefixes,
		group("v", "00 c280 e0a080 f0908080"),                                           // first sequence of each length
		group("i", "f888808080 fc8480808080"),                                           // of 5 and 6 octets
		group("v", "7f dfbf efbfbf f48fbfbf"),                                           // last sequence of each length
		group("i", "f7bfbfbf fbbfbfbfbf fdbfbfbfbfbf"),                                  // beyond U+10FFFF
		group("vvvvi", "ed9fbf ee8080 efbfbd f48fbfbf f4908080"),                        // other boundaries
		group("i", "80 bf 80bf 80bf80 80bf80bf 80bf80bf80 80bf80bf80bf "+continuations), // unexpected continuations
		group("i", strings.Join(lonely, " ")),                                           // lonely start octets
		group("i", incomplete),                                                          // without the last octet
		group("i", strings.ReplaceAll(incomplete, " ", "")),                             // all of these together
		group("i", "fe ff fefeffff"),                                                    // impossible octets
		group("i", "c0af e080af f08080af f8808080af fc80808080af"),                      // overlong "/"
		group("i", "c1bf e09fbf f08fbfbf f887bfbfbf fc83bfbfbfbf"),                      // the highest overlong ones
		group("i", "c080 e08080 f0808080 f880808080 fc8080808080"),                      // overlong NUL
		group("i", "eda080 edadbf edae80 edafbf edb080 edbe80 edbfbf"),                  // single surrogates
		group("i", "eda080edb080 eda080edbfbf edadbfedb080 edadbfedbfbf edae80edb080 edae80edbfbf edafbfedb080 edafbfedbfbf"), // pairs of them
		group("v", nonCharacters),
		group("v", "efbfb9 efbfba efbfbb efbfbc efbfbd efbfbe efbfbf"), // specials, U+FFFD among them
	}
}

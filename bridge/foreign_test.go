package bridge

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/wsbridge/wsbridge/process"
)

// What strangers say is cut in the log, and has nothing in it that a terminal, a reader of
// lines or a reader of text would obey.
func TestForeignText(t *testing.T) {
	everything := &slog.HandlerOptions{Level: slog.LevelDebug}
	const nasty = "/\x00\n\r\x1b[31m\x7f\u0085\u009b\u061c\u200e\u202e\u2066\u2028\xff\xc3é"
	const long = "/ä\x1b" // 4 bytes, so that a cut falls between
	for _, path := range []string{"/plain é", nasty, strings.Repeat("x", maxForeign-1) + "€", strings.Repeat(long, 16<<10)} {
		for format, newHandler := range map[string]func(*bytes.Buffer) slog.Handler{
			"text": func(b *bytes.Buffer) slog.Handler { return slog.NewTextHandler(b, everything) },
			"json": func(b *bytes.Buffer) slog.Handler { return slog.NewJSONHandler(b, everything) },
		} {
			var b bytes.Buffer
			log := LogEvents(slog.New(newHandler(&b)))
			info := Info{Remote: path, Path: path, ID: "id"}
			events := []Event{
				Refused{info, Refusal{Reason: "no"}}, UpgradeLost{info, "Upgrade"}, NoSubprotocol{info, []string{path, path}},
				Started{info}, Closed{Info: info, Ending: Ending{1000, path}, State: new(process.State)}, Attached{Info: info},
				Detached{Info: info, Ending: Ending{1000, path}}, TurnedAway{info, Ending{4404, path}},
				NotCGI{info, errIsDir}, CGIMalformed{info, errIsDir}, CGIEnded{Info: info},
			}
			for _, e := range events {
				log(e)
			}
			lines := strings.Split(strings.TrimSuffix(b.String(), "\n"), "\n")
			if len(lines) != len(events) {
				t.Errorf("%s: %d lines for %d events", format, len(lines), len(events))
			}
			for _, line := range lines {
				if i := strings.IndexFunc(line, isUnprintable); i >= 0 {
					t.Errorf("%s: %q at %d of %.200q", format, line[i:i+1], i, line)
				}
				if len(line) > 8<<10 {
					t.Errorf("%s: a line of %d bytes", format, len(line))
				}
				if format != "json" {
					continue
				}
				var got struct{ Path string }
				if err := json.Unmarshal([]byte(line), &got); err != nil {
					t.Errorf("%v: %.200q", err, line)
				}
				if rest := strings.TrimSuffix(got.Path, "…"); utf8.ValidString(path) && got.Path != "" && !strings.HasPrefix(path, rest) {
					t.Errorf("%.200q for %.200q", got.Path, path)
				}
			}
		}
	}
}

// So is what they name in the headers of a request that is refused, and no hint offers to
// let it in.
func TestForeignHeaders(t *testing.T) {
	long := strings.Repeat("x", 64<<10)
	for header, value := range map[string]string{"Host": long + ".example", "Origin": "https://" + long + ".example"} {
		r := httptest.NewRequest("GET", "/", nil)
		r.Host = "localhost"
		r.Header.Set(header, value)
		refused := new(Gate).checkOrigin(r)
		if header == "Host" {
			r.Host = value
			refused = new(Gate).checkHost(r)
		}
		if refused == nil || len(refused.Detail) > 2*maxForeign || refused.Subject != "" {
			t.Errorf("%s: %.2000v", header, refused)
		}
	}
}

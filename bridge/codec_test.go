package bridge

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/wsbridge/wsbridge/bridge/internal/wire"
	"github.com/wsbridge/wsbridge/process"
)

// packets is a framing that does all that a codec may do beyond lines: a message
// goes to the program behind its length, "end" is the end of its input, and the
// client is told how the program ended by a message too.
type packets struct{ both bool } // both streams go to the client

func (f packets) newCodec() codec {
	if f.both {
		return taggedPackets{new(taggedCodec)}
	}
	return packetCodec{}
}

type packetCodec struct{ lineCodec }

func (packetCodec) inPieces() bool { return false } // the length is known at the end

func (packetCodec) feed(batch []byte, start int, _ wire.Kind) ([]byte, action, error) {
	if string(batch[start:]) == "end" {
		return batch[:start], func(j *job) { j.closeInput() }, nil
	}
	return slices.Insert(batch, start, fmt.Appendf(nil, "%d:", len(batch)-start)...), nil, nil
}

func (packetCodec) lastWord(d *delivery, state process.State) error {
	return d.add(wire.Text, []byte("ended by "+state.String()), true)
}

type taggedPackets struct{ *taggedCodec }

func (taggedPackets) inPieces() bool { return packetCodec{}.inPieces() }

func (taggedPackets) feed(batch []byte, start int, kind wire.Kind) ([]byte, action, error) {
	return packetCodec{}.feed(batch, start, kind)
}

func (taggedPackets) lastWord(d *delivery, state process.State) error {
	return packetCodec{}.lastWord(d, state)
}

func init() {
	// packets STATUS N [COMPLAINT] prints the size of each packet that it reads. At
	// the end of its input it complains, prints N lines and exits with the status
	// or, for one over 128, by the signal.
	children["packets"] = func(args []string) {
		in := bufio.NewReader(os.Stdin)
		for {
			length, err := in.ReadString(':')
			if err != nil {
				break
			}
			payload := make([]byte, number(strings.TrimSuffix(length, ":")))
			if _, err := io.ReadFull(in, payload); err != nil {
				panic(err)
			}
			fmt.Printf("%d of %q\n", len(payload), bytes.TrimLeft(payload, "x"))
		}
		if len(args) > 2 {
			fmt.Fprintln(os.Stderr, args[2])
		}
		children["line"](slices.Repeat([]string{"100"}, number(args[1])))
		if status := number(args[0]); status > 128 {
			children["suicide"]([]string{fmt.Sprint(status - 128)})
		}
		os.Exit(number(args[0]))
	}
}

// A codec may insert before a message, answer a message with an action, and have
// a last word, which comes behind all output and before the close frame.
func TestCodec(t *testing.T) {
	const size = 3 * largeBuffer
	long := strings.Repeat("x", size)
	lines := func(n int) []string { return slices.Repeat([]string{strings.Repeat("x", 100)}, n) }
	sizes := []string{`4 of "text"`, `0 of ""`, fmt.Sprintf(`%d of ""`, size), `5 of "a\nb:c"`}
	sent := slices.Concat(text("text"), text(""), text(long), text("a\nb:c"))
	for _, test := range []struct {
		name string
		both bool
		args []string
		send []byte
		want []string
		end  Ending
	}{
		{"the end of input", false, []string{"0", "1"}, slices.Concat(sent, text("end")),
			slices.Concat(sizes, lines(1), []string{"ended by exit status 0"}), Ending{Code: 1000}},
		{"alone", false, []string{"3", "0"}, text("end"), []string{"ended by exit status 3"}, Ending{4003, "exit status 3"}},
		{"messages behind the end of input", false, []string{"3", "0"}, slices.Concat(text("end"), text("late"), text("end")),
			[]string{"ended by exit status 3"}, Ending{4003, "exit status 3"}},
		{"much output before the exit", false, []string{"3", "30000"}, text("end"),
			slices.Concat(lines(30000), []string{"ended by exit status 3"}), Ending{4003, "exit status 3"}},
		{"complaints are not the client's", false, []string{"3", "1", "woe"}, text("end"),
			slices.Concat(lines(1), []string{"ended by exit status 3"}), Ending{4003, "exit status 3"}},
		{"two streams", true, []string{"3", "0", "woe"}, slices.Concat(text("text"), text("end")),
			[]string{err2("woe").message(), out(sizes[0]).message(), "ended by exit status 3"}, Ending{4003, "exit status 3"}},
		{"a signal", false, []string{"137", "1"}, text("end"),
			slices.Concat(lines(1), []string{"ended by signal: killed"}), Ending{4137, "signal: killed"}},
		{"the client closes", false, []string{"3", "1"}, closing(1000, "bye"),
			slices.Concat(lines(1), []string{"ended by exit status 3"}), Ending{1000, "bye"}},
		{"two streams, and the client closes", true, []string{"3", "1", "woe"}, closing(1000, "bye"),
			[]string{err2("woe").message(), out(lines(1)[0]).message(), "ended by exit status 3"}, Ending{1000, "bye"}},
		// Nothing comes behind the answer to the client's close frame.
		{"the client leaves", false, []string{"3", "1"}, closing(1001, "bye"), nil, Ending{1001, "bye"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			// With this grace the program has all the time to end by itself.
			h := child(&Handler{Framing: packets{test.both}, Bounds: Bounds{Grace: testLimit}}, "packets", test.args...)
			log := record(t, h)
			p := connect(t, serve(t, h))
			p.write(test.send)
			got, end := p.closed()
			p.Close()
			if end != test.end {
				t.Errorf("closed with %v, want %v", end, test.end)
			}
			if test.both { // either stream may be read first
				slices.Sort(got[:max(0, len(got)-1)])
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("%d messages, at last %.80q, want %d, %.80q", len(got), lastOf(got), len(test.want), lastOf(test.want))
			}
			log.wait(an(func(e Closed) bool { return e.Ending == test.end }))
		})
	}
}

func lastOf(messages []string) []string { return messages[max(0, len(messages)-3):] }

// The last word comes when the server ends the session, too.
func TestLastWordInADrain(t *testing.T) {
	h := child(&Handler{Framing: packets{}, Bounds: Bounds{Grace: testLimit}}, "packets", "3", "1")
	p := connect(t, serve(t, h))
	p.write(text("text"))
	if got := p.message(); got != `4 of "text"` {
		t.Errorf("got %q", got)
	}
	done := started(func() {
		if err := h.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
	})
	got, end := p.closed()
	if want := []string{strings.Repeat("x", 100), "ended by exit status 3"}; !slices.Equal(got, want) || end != errShutdown {
		t.Errorf("got %.120q and %v", got, end)
	}
	<-done
}

package bridge

import (
	"bufio"
	"context"
	"encoding/binary"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

func init() {
	// sort prints its lines when it has them all, and exits with a status.
	children["sort"] = func(args []string) {
		var lines []string
		for in := bufio.NewScanner(os.Stdin); in.Scan(); {
			lines = append(lines, in.Text())
		}
		slices.Sort(lines)
		for _, line := range lines {
			fmt.Println(line)
		}
		os.Exit(number(args[0]))
	}
}

// A program that answers at the end of its input is heard by a client that has closed:
// what it prints before the first signal comes before the answer to the close frame.
func TestAnswerAtTheEndOfInput(t *testing.T) {
	for _, test := range []struct {
		child string
		close []byte
		want  []string
		end   Ending
	}{
		{"sort", closing(1000, "thanks"), []string{"a", "b", "c"}, Ending{1000, "thanks"}},
		{"sort", closing(1001, ""), nil, Ending{Code: 1001}},
		{"sort", closing(3000, ""), nil, Ending{Code: 3000}},
		{"deaf", closing(1000, ""), nil, Ending{Code: 1000}}, // long before it is killed
	} {
		t.Run(fmt.Sprint(test.child, test.end.Code), func(t *testing.T) {
			t.Parallel()
			h := child(&Handler{}, test.child, "7")
			if test.child == "sort" {
				h.Bounds.Grace = testLimit // on a busy machine it may take its time to print
			}
			log := record(t, h)
			p := connect(t, serve(t, h))
			if test.child == "deaf" {
				p.message()
			}
			for _, line := range []string{"c", "a", "b"} {
				p.write(text(line))
			}
			p.write(test.close)
			var got []string
			f := p.next()
			for ; f.op == opText; f = p.next() {
				got = append(got, string(f.payload))
			}
			if f.op != opClose || !slices.Equal(got, test.want) {
				t.Errorf("got %q, and then a frame %#x", got, f.op)
			}
			if want := binary.BigEndian.AppendUint16(nil, uint16(test.end.Code)); string(f.payload) != string(want)+test.end.Reason {
				t.Errorf("answered with %q", f.payload)
			}
			log.wait(closedWith(test.end.Code))
		})
	}
}

// So is one that can be resumed, also when it answers with more than is kept for clients
// that are away, and has much to read before. A new client finds another program.
func TestResumedAnswerAtTheEndOfInput(t *testing.T) {
	for _, counts := range []bool{false, true} {
		t.Run(fmt.Sprintf("counts=%t", counts), func(t *testing.T) {
			t.Parallel()
			h := child(&Handler{Hosting: Resume{Buffer: 16 << 10}}, "sort", "7")
			h.Bounds.Grace = testLimit
			log := record(t, h)
			srv := serve(t, h)
			c := resume(t, srv, keyed(testKey), counts)
			want := make([]string, 3000)
			for i := range want {
				want[i] = fmt.Sprintf("%05d %s", i, strings.Repeat("x", 1000))
			}
			for i := range want {
				c.write(text(want[len(want)-1-i]))
			}
			c.write(closing(1000, "thanks"))
			got, end := c.closed()
			if !slices.Equal(got, want) || end != (Ending{1000, "thanks"}) {
				t.Errorf("got %d messages, and then %v", len(got), end)
			}
			log.wait(closedWith(1000))
			again := resume(t, srv, keyed(testKey), counts)
			again.write(text("a"))
			again.write(closing(1000, ""))
			again.wantMessages("a")
			again.wantClose(Ending{Code: 1000})
		})
	}
}

// Who is gone before the answer does not keep the program.
func TestResumedAnswerForNobody(t *testing.T) {
	t.Parallel()
	h := child(&Handler{Hosting: Resume{Buffer: 16 << 10}}, "farewell", "3000", "1000")
	log := record(t, h)
	c := resume(t, serve(t, h), keyed(testKey), false)
	c.write(text("x"))
	c.wantMessages("hello")
	c.write(closing(1000, ""))
	c.Close()
	log.wait(closedWith(1000))
}

// A client whose input has ended hears such a program, too.
func TestClientHearsTheAnswerAtTheEnd(t *testing.T) {
	for name, test := range map[string]struct {
		status    int
		reconnect *Reconnect
	}{
		"exit status 0":          {0, nil},
		"exit status 7":          {7, nil},
		"resumed, exit status 0": {0, &Reconnect{Resume: true}},
		"resumed, exit status 7": {7, &Reconnect{Resume: true}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := child(&Handler{Bounds: Bounds{Grace: closeLimit / 2}, Hosting: Resume{}}, "sort", fmt.Sprint(test.status))
			srv := serve(t, h)
			var out strings.Builder
			c := &Client{Stdin: strings.NewReader("c\na\nb\n"), Stdout: &out, Reconnect: test.reconnect}
			end, err := c.Run(t.Context(), srv.URL)
			if out.String() != "a\nb\nc\n" || end != (Ending{Code: 1000}) || err != nil {
				t.Errorf("%q, closed with %v, %v", out.String(), end, err)
			}
		})
	}
}

// Who closes is answered before giving up, however long the program's time to end is.
func TestAnswerDoesNotWaitForLong(t *testing.T) {
	t.Parallel()
	h := child(&Handler{Bounds: Bounds{Grace: time.Hour}}, "deaf")
	p := connect(t, serve(t, h))
	p.message()
	p.write(closing(1000, ""))
	if f := p.next(); f.op != opClose {
		t.Errorf("got a frame %#x", f.op)
	}
	now, cancel := context.WithCancel(t.Context())
	cancel()
	_ = h.Shutdown(now) // kills the program
}

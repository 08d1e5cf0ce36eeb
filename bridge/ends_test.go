package bridge

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

func init() {
	// longline prints a line of 900,000 bytes and then waits.
	children["longline"] = func([]string) {
		os.Stdout.Write(append(bytes.Repeat([]byte("x"), 900_000), '\n'))
		io.Copy(io.Discard, os.Stdin)
	}
	// tick prints all the time, and at the end of its input what it read.
	children["tick"] = func([]string) {
		go func() {
			for {
				if _, err := os.Stdout.WriteString("tick\n"); err != nil {
					return
				}
				time.Sleep(50 * time.Microsecond)
			}
		}()
		children["count"](nil)
	}
}

// The end does not wait for a child that does not read: a close frame or a
// violation behind a backlog that is nearly full used to be answered and then
// to end nothing.
func TestEndBehindANearlyFullBacklog(t *testing.T) {
	t.Parallel()
	m := text(strings.Repeat("x", 1000))
	for _, test := range []struct {
		name string
		end  []byte
		want Ending
	}{
		{"close", closing(1000, "bye"), Ending{1000, "bye"}},
		{"violation", appendFrame(nil, finBit|0x3, []byte("x"), true), Ending{1002, "unknown opcode"}},
		{"too big", text(strings.Repeat("x", 10_001)), errTooBig(10_000)},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			h := child(&Handler{Bounds: Bounds{MaxMessageSize: 10_000}}, "deaf")
			log := record(t, h)
			p := connect(t, serve(t, h))
			p.message()
			for range 68 { // a pipe, and most of the backlog
				p.write(m)
			}
			p.write(ping("read?"))
			p.next()
			p.write(append(bytes.Repeat(m, 8), test.end...))
			p.wantClose(test.want)
			log.wait(closedBecause(test.want))
		})
	}
}

// A client that writes its last messages and a close frame and leaves at once,
// while the child prints: our own failing write does not hide them.
func TestClientLeavesAtOnce(t *testing.T) {
	t.Parallel()
	h := child(&Handler{Bounds: Bounds{Grace: testLimit}}, "tick")
	log := record(t, h)
	srv := serve(t, h)
	const runs = 50
	for range runs {
		p := connect(t, srv)
		p.message()
		p.write(append(bytes.Repeat(text("0123456789"), 100), closing(1000, "done")...))
		p.Close()
	}
	until(t, func() bool { return h.sessions() == 0 }, func() string { return "the ends" })
	if n := log.count(closedBecause(Ending{1000, "done"})); n != runs {
		t.Errorf("%d of %d are told to have closed", n, runs)
	}
	if n := log.count(says("100 lines, 1100 bytes")); n != runs {
		t.Errorf("%d of %d were fed whole", n, runs)
	}
}

// What still holds the output of a child that has exited is not waited for
// when there is nobody any more to get it.
func TestClientLeavesWhatHoldsTheOutput(t *testing.T) {
	sh, err := exec.LookPath("sh")
	if err != nil {
		t.Skip("there is no sh")
	}
	h := &Handler{Command: []string{sh, "-c", "while :; do echo tick; done &"}, Bounds: Bounds{Grace: time.Hour}}
	p := connect(t, serve(t, h))
	p.message()
	p.write(closing(1000, ""))
	for p.next().op != opClose {
	}
	p.Close()
	until(t, func() bool { return h.sessions() == 0 }, func() string { return "the end" })
}

// A violation, with output under way and a client that goes on sending for a
// while: what was under way arrives, all that counts as sent, and then the close frame.
func TestViolationDestroysNothing(t *testing.T) {
	const lines = 1500
	m := text(strings.Repeat("m", 1000))
	for range 5 {
		t.Run("", func(t *testing.T) {
			t.Parallel()
			h := child(&Handler{}, "echo")
			log := record(t, h)
			p := connect(t, serve(t, h))
			p.write(bytes.Repeat(m, lines))
			p.write(appendFrame(nil, finBit|0x3, []byte("x"), true))
			for range 20 { // nothing is read meanwhile
				time.Sleep(5 * time.Millisecond)
				if _, err := p.Write(m); err != nil {
					break
				}
			}
			echoes, f := 0, p.next()
			for ; f.op == opText && len(f.payload) == 1000; f = p.next() {
				echoes++
			}
			want := Ending{1002, "unknown opcode"}
			if got := (reply{f.op, string(f.payload)}); got != closeReply(want) {
				t.Errorf("after %d echoes: %v", echoes, got)
			}
			p.Close()
			log.wait(an(func(e Closed) bool {
				return e.Ending == want && e.In.Messages == lines && e.Out.Messages == int64(echoes)
			}))
		})
	}
}

// No pongs are missed while nobody reads them: a child that takes its time to
// end does not turn 1009 into a dead client.
func TestTooBigAndPings(t *testing.T) {
	t.Parallel()
	h := child(&Handler{Bounds: Bounds{MaxMessageSize: 100, Grace: 500 * time.Millisecond, PingInterval: 300 * time.Millisecond}}, "deaf")
	p := connect(t, serve(t, h))
	p.message()
	p.write(text(strings.Repeat("x", 101)))
	p.wantClose(errTooBig(100))
}

func TestNoMessageLimit(t *testing.T) {
	for _, limit := range []int{math.MaxInt, -1} {
		p := connect(t, serve(t, child(&Handler{Bounds: Bounds{MaxMessageSize: limit}}, "echo")))
		want := strings.Repeat("x", DefaultMaxMessageSize+1)
		p.write(text(want))
		p.write(text("next"))
		var got []byte
		for f := p.next(); ; f = p.next() {
			if got = append(got, f.payload...); f.fin {
				break
			}
		}
		if string(got) != want || p.message() != "next" {
			t.Errorf("limit %d: got %d bytes", limit, len(got))
		}
	}
}

// What an idle session holds does not depend on the longest line that it has
// seen.
func TestMemoryAfterALongLine(t *testing.T) {
	const sessions = 20
	srv := serve(t, child(&Handler{}, "longline"))
	before := heap()
	for range sessions {
		p := connect(t, srv)
		p.r = bufio.NewReaderSize(p, 16)
		io.CopyN(io.Discard, p.r, 900_010)
	}
	until(t, func() bool { return heap()-before < sessions*200<<10 }, func() string {
		return fmt.Sprintf("%d KiB a session to be less", (heap()-before)/sessions>>10)
	})
}

func heap() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC() // pools give up what they hold in two rounds
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// A relative command is one of Dir's.
func TestDir(t *testing.T) {
	dir := t.TempDir()
	if err := os.Symlink(self, filepath.Join(dir, "prog")); err != nil {
		t.Fatal(err)
	}
	for _, d := range []string{dir, "", "."} {
		h := child(&Handler{Dir: d}, "exit", "3")
		h.Command[0] = "./prog"
		if d != dir {
			t.Chdir(dir)
		}
		connect(t, serve(t, h)).wantClose(Ending{4003, "exit status 3"})
	}
}

// A client that reads nothing and then breaks a rule, while the last words of
// its child wait for it, is given up: nobody reads its pongs any more.
func TestViolationInTheTail(t *testing.T) {
	t.Parallel()
	h := child(&Handler{}, "tail")
	log := record(t, h)
	srv := tightServer(t, h)
	p := connect(t, srv)
	p.SetReadBuffer(4 << 10)
	p.write(text("go"))
	log.wait(says("all is said"))
	p.write(appendFrame(nil, finBit|opText, []byte("\xff"), true))
	log.wait(closedWith(1006))
}

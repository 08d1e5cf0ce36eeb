//go:build unix

package process

import (
	"bufio"
	"io"
	"os"
	"strings"
	"testing"
)

// What left the group is cut off, and lives on.
func TestHoldingSetsid(t *testing.T) {
	for name, c := range map[string]*Command{
		"a pipe":     command("leave", "holder", "setsid"),
		"a terminal": raw(command("leave", "holder", "setsid")),
	} {
		t.Run(name, func(t *testing.T) { testHoldingSetsid(t, c) })
	}
}

func testHoldingSetsid(t *testing.T, c *Command) {
	p := start(t, c)
	holder := watch(t, atoi(readLine(t, bufio.NewReader(p.Stderr))))
	out := collect(p.Stdout)
	wait(t, p)
	if state := p.End(t.Context()); state != (State{Status: 3}) {
		t.Error(state)
	}
	if got := receive(t, out); !strings.Contains(got, "leader\n") {
		t.Errorf("got %q", got)
	}
	if !holder.runs() {
		t.Error("the process that left the group is dead")
	}
}

// What the leader wrote arrives, even if nobody reads before End returned.
func TestHoldingSetsidReadLate(t *testing.T) {
	p := start(t, command("leave", "holder", "setsid", "fill"))
	errs := bufio.NewReader(p.Stderr)
	watch(t, atoi(readLine(t, errs)))
	size := atoi(readLine(t, errs))
	wait(t, p)
	p.End(done)
	got := withoutHolder(receive(t, collect(p.Stdout)))
	if size == 0 || got != string(pattern(size)) {
		t.Errorf("got %d bytes, want %d", len(got), size)
	}
}

// withoutHolder is an output without what the holder may write as soon as the
// pipe, which was full, has room.
func withoutHolder(output string) string { return strings.TrimSuffix(output, "holder\n") }

// ReadTo finds the same tail as Read, behind one who holds the output from
// outside of the group.
func TestReadToSetsid(t *testing.T) {
	bothWays(t, func(t *testing.T, try bool) {
		p := start(t, command("leave", "holder", "setsid", "fill"))
		errs := bufio.NewReader(p.Stderr)
		holder := watch(t, atoi(readLine(t, errs)))
		size := atoi(readLine(t, errs))
		wait(t, p)
		p.End(done)
		got, err := io.ReadAll(borrower{p.Stdout, try, 1 << 20})
		if size == 0 || withoutHolder(string(got)) != string(pattern(size)) || err != nil {
			t.Errorf("got %d bytes, %v; want %d", len(got), err, size)
		}
		if !holder.runs() {
			t.Error("the process that left the group is dead")
		}
	})
}

// Nor does it go on for ever.
func TestHoldingEndless(t *testing.T) {
	p := start(t, command("leave", "endless", "setsid"))
	watch(t, atoi(readLine(t, bufio.NewReader(p.Stderr))))
	read := make(chan error, 1)
	go func() {
		_, err := io.Copy(io.Discard, p.Stdout)
		read <- err
	}()
	wait(t, p)
	p.End(t.Context())
	if err := receive(t, read); err != nil {
		t.Error(err)
	}
}

// However full the pipe is each time, the reading of what it holds ends.
func TestTailIsBounded(t *testing.T) {
	t.Run("Read", func(t *testing.T) { testTailIsBounded(t, func(o *Output) io.Reader { return o }) })
	bothWays(t, func(t *testing.T, try bool) {
		testTailIsBounded(t, func(o *Output) io.Reader { return borrower{o, try, 1 << 20} })
	})
}

func testTailIsBounded(t *testing.T, reader func(*Output) io.Reader) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	o := newOutput(r)
	o.cutOff()
	in := reader(o)
	buf := make([]byte, 4096)
	read := 0
	for {
		if _, err := w.Write(buf); err != nil {
			t.Fatal(err)
		}
		n, err := in.Read(buf)
		if err == io.EOF {
			break
		}
		if read += n; err != nil || read > 2*tailLimit {
			t.Fatalf("after %d bytes: %v", read, err)
		}
	}
	if read < tailLimit {
		t.Errorf("only %d bytes of a pipe that may have held %d", read, tailLimit)
	}
}

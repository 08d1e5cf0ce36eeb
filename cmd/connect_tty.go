package cmd

import (
	"bytes"
	"io"
	"os"
	"os/signal"
	"sync"

	"golang.org/x/term"

	"github.com/wsbridge/wsbridge/bridge"
)

// A tty is the terminal that connect runs on. It is restored whatever signal ends the
// process; only SIGKILL and a crash leave it as it is.
type tty struct {
	in  *os.File
	out *os.File // what knows the size, which on Windows is not in

	mu     sync.Mutex
	before *term.State // what to restore; nil: it is not in raw mode
	over   bool        // the terminal has its old mode again
}

// terminalOf is the terminal of these streams, or nil if the input is none.
func terminalOf(std streams) *tty {
	in := terminalFile(std.stdin)
	if in == nil {
		return nil
	}
	t := &tty{in: in, out: in}
	if out := terminalFile(std.stdout); out != nil {
		t.out = out
	}
	return t
}

// terminalFile is a stream that is a terminal, or nil.
func terminalFile(stream any) *os.File {
	if f, ok := stream.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		return f
	}
	return nil
}

// raw begins the raw mode, in which each key is read as it is typed and nothing echoes.
func (t *tty) raw() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.before != nil || t.over {
		return nil
	}
	before, err := term.MakeRaw(int(t.in.Fd()))
	if err == nil {
		t.before = before
		obeySequences(t.out)
	}
	return err
}

func (t *tty) isRaw() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.before != nil
}

// restore ends the raw mode, for now or for good.
func (t *tty) restore(forGood bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.before != nil {
		_ = term.Restore(int(t.in.Fd()), t.before)
	}
	t.before, t.over = nil, t.over || forGood
}

func (t *tty) size() (size bridge.TerminalSize, ok bool) {
	columns, rows, err := term.GetSize(int(t.out.Fd()))
	return bridge.TerminalSize{Columns: columns, Rows: rows}, err == nil && columns > 0 && rows > 0
}

// goOn begins the raw mode again that a shell has ended meanwhile.
func (t *tty) goOn() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.before != nil {
		_, _ = term.MakeRaw(int(t.in.Fd()))
	}
}

// suspend stops the process until its shell lets it go on, with the terminal restored.
func (t *tty) suspend() {
	t.restore(false)
	suspend()
	_ = t.raw()
}

// guard restores the terminal when a second signal ends the process; again is called when
// the process was stopped and goes on. release ends this, and restores it for good.
func (t *tty) guard(again func()) (release func()) {
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, append(stopSignals(), moreSignals...)...)
	var wg sync.WaitGroup
	wg.Go(func() {
		stops := 0
		for s := range signals {
			if isContinue(s) {
				t.goOn()
				again()
				continue
			}
			if stops++; stops > 1 || isQuit(s) {
				t.restore(true)
				die(s)
			}
		}
	})
	return func() {
		signal.Stop(signals)
		close(signals)
		wg.Wait()
		t.restore(true)
	}
}

// sizes yields the size of the terminal when it has become another one.
func (t *tty) sizes() (sizes <-chan bridge.TerminalSize, stop func()) {
	last, _ := t.size()
	news, stopNews := sizeNews()
	newest := make(chan bridge.TerminalSize, 1)
	var wg sync.WaitGroup
	wg.Go(func() {
		defer close(newest)
		for range news {
			size, ok := t.size()
			if !ok || size == last {
				continue
			}
			last = size
			select {
			case <-newest: // nobody has wanted it
			default:
			}
			newest <- size
		}
	})
	return newest, func() {
		stopNews()
		wg.Wait()
	}
}

// A remarkWriter writes wsbridge's own remarks to a terminal, which in raw mode does not
// go to the first column by itself.
type remarkWriter struct {
	io.Writer
	tty *tty
}

func (w remarkWriter) Write(p []byte) (int, error) {
	text := p
	if w.tty.isRaw() {
		text = bytes.ReplaceAll(p, []byte("\n"), []byte("\r\n"))
	}
	if _, err := w.Writer.Write(text); err != nil {
		return 0, err
	}
	return len(p), nil
}

package cmd

import (
	"bytes"
	"errors"
	"io"
	"os"
	"slices"
	"sync"

	"golang.org/x/term"

	"github.com/wsbridge/wsbridge/bridge"
)

// isPrompting reports whether somebody types lines and reads the answers: connect then
// has a prompt, with line editing.
func (o *connectOptions) isPrompting() bool {
	lines := slices.Contains([]string{"", "lines", "json"}, o.framing) && !o.binary
	return lines && len(o.command) == 0 && !o.pty && os.Getenv("TERM") != "dumb" &&
		terminalFile(o.stdin) != nil && terminalFile(o.stdout) != nil
}

// A dialogue is where somebody types, below the messages that come. What is typed stays
// when one comes. The first read draws it.
type dialogue struct {
	tty   *tty
	line  *term.Terminal
	text  string // before what is typed
	begun sync.Once
	rest  []byte // of a line that was read

	mu   sync.Mutex // guards what follows, for writers
	part []byte     // of a line that has not come whole
}

// atPrompt makes the terminal one for a dialogue; restore must be called at the end.
func (o *connectOptions) atPrompt(c *bridge.Client, leave func()) (restore func()) {
	p := &dialogue{tty: terminalOf(o.streams), text: "> "}
	remarks := remarkStyle{}
	if os.Getenv("NO_COLOR") == "" {
		p.text, remarks = dim+p.text+plain, remarkStyle{dim, plain}
	}
	p.line = term.NewTerminal(struct {
		io.Reader
		io.Writer
	}{&keys{from: o.stdin, interrupt: func() { interrupt(leave) }, suspend: p.suspend}, &display{w: o.stdout}}, p.text)
	if size, ok := p.tty.size(); ok {
		_ = p.line.SetSize(size.Columns, size.Rows)
	}
	sizes, stop := p.tty.sizes()
	var wg sync.WaitGroup
	wg.Go(func() {
		for size := range sizes {
			_ = p.line.SetSize(size.Columns, size.Rows)
		}
	})
	release := p.tty.guard(func() { _, _ = p.line.Write(nil) })
	if terminalFile(o.stderr) != nil {
		o.stderr = remarks.of(p)
	}
	c.Stdin, c.Stdout = p, o.printOptions.output(p)
	return func() {
		stop()
		wg.Wait()
		p.end()
		release()
	}
}

// Read returns a line that was typed, and its end.
func (p *dialogue) Read(b []byte) (int, error) {
	p.begun.Do(func() {
		_ = p.tty.raw()
		p.line.SetBracketedPasteMode(true) // else a tab completes and a long line is cut
	})
	if len(p.rest) == 0 {
		line, err := p.line.ReadLine()
		if err != nil && !errors.Is(err, term.ErrPasteIndicator) {
			p.clear() // no more is typed, and Ctrl-C is the system's again
			p.tty.restore(false)
			return 0, err
		}
		p.rest = append([]byte(line), '\n')
	}
	n := copy(b, p.rest)
	p.rest = p.rest[n:]
	return n, nil
}

// maxPart is how much of a line that does not end is waited for.
const maxPart = 1 << 20

// Write prints messages above what is being typed.
func (p *dialogue) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.part = append(p.part, b...)
	whole := bytes.LastIndexByte(p.part, '\n') + 1
	if whole == 0 && len(p.part) >= maxPart {
		whole = len(p.part)
	}
	if whole > 0 {
		if _, err := p.line.Write(shown(p.part[:whole])); err != nil {
			return 0, err
		}
		p.part = append(p.part[:0], p.part[whole:]...)
	}
	return len(b), nil
}

// end prints what is left, and clears the prompt.
func (p *dialogue) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.part) > 0 {
		_, _ = p.line.Write(shown(p.part))
	}
	if p.tty.isRaw() {
		p.clear()
	}
}

// clear takes the prompt from the screen, and what was being typed.
func (p *dialogue) clear() {
	p.line.SetPrompt("")
	_, _ = p.line.Write(nil)
	p.line.SetBracketedPasteMode(false)
	_, _ = io.WriteString(p.tty.out, "\r\x1b[J")
}

// suspend lets the shell have the terminal for a while.
func (p *dialogue) suspend() {
	p.line.SetBracketedPasteMode(false)
	p.tty.suspend()
	p.line.SetBracketedPasteMode(true)
	_, _ = p.line.Write(nil)
}

// A remarkStyle is what wsbridge's own remarks are between.
type remarkStyle struct{ before, after string }

// of is where to write remarks that are printed as messages are.
func (s remarkStyle) of(p *dialogue) io.Writer {
	return writerFunc(func(text []byte) (int, error) {
		line := mark([]byte(s.before + string(bytes.TrimSuffix(text, []byte("\n"))) + s.after + "\n"))
		if _, err := p.line.Write(line); err != nil {
			return 0, err
		}
		return len(text), nil
	})
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

const (
	dim   = "\x1b[2m"
	plain = "\x1b[0m"
)

// keys reads what is typed, and takes out what is for connect itself. In raw mode the
// system does not do it.
type keys struct {
	from      io.Reader
	interrupt func()
	suspend   func()
	afterCR   bool // a line feed belongs to a carriage return before
}

func (k *keys) Read(p []byte) (int, error) {
	for {
		n, err := k.from.Read(p)
		kept := p[:0]
		for _, c := range p[:n] {
			afterCR := k.afterCR
			k.afterCR = c == '\r'
			switch {
			case c == 3: // Ctrl-C
				k.interrupt()
			case c == 26: // Ctrl-Z
				k.suspend()
			case c == '\n' && afterCR:
			default:
				kept = append(kept, c)
			}
		}
		if len(kept) > 0 || err != nil || n == 0 {
			return len(kept), err
		}
	}
}

package bridge

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"
)

func init() { children["model"] = modelChild }

// modelChild answers each line "N LINES SIZE" with that many lines, which say how
// many lines it has printed and read, and what it was told: whoever reads them sees
// what was lost or came twice, either way. It exits with status 7 after a line that
// ends with "exit".
func modelChild([]string) {
	in, out := bufio.NewReaderSize(os.Stdin, 64<<10), bufio.NewWriter(os.Stdout)
	printed := 0
	for read := 1; ; read++ {
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		var n, lines, size int
		fmt.Sscan(line, &n, &lines, &size)
		for range lines {
			printed++
			fmt.Fprintln(out, modelLine{printed, read, n, size})
		}
		out.Flush()
		if strings.HasSuffix(line, " exit\n") {
			os.Exit(7)
		}
	}
}

// A modelLine is a line of modelChild's.
type modelLine struct{ printed, read, told, size int }

func (l modelLine) String() string {
	return fmt.Sprint(l.printed, " ", l.read, " ", l.told, " ", l.size, " ", strings.Repeat("x", l.size))
}

// A model is a client that comes back with its key, and knows what must come.
type model struct {
	t        testing.TB
	srv      *httptest.Server
	key      string
	counting bool
	compress bool
	size     int // of what the program answers, at most

	sent  int   // messages that it wants to have sent
	lines []int // that each of them is answered with
	wrote int   // messages of which every byte was written once
	modelGot

	known  bool    // a greeting has come: the server knows the key
	exits  bool    // the last message ends the program
	ended  bool    // its end was told, and answered
	greets int     // connections that were greeted, or heard something
	open   *cutOff // a connection that was left open; nil: there is none
}

var modelEnd = Ending{4007, "exit status 7"}

// errCut is the end of a connection after as many bytes as it was given.
var errCut = errors.New("cut")

// A cutOff is a connection that ends after so many bytes either way; negative:
// none.
type cutOff struct {
	*net.TCPConn
	up, down int
	stalls   bool // it is not closed then
}

func (c *cutOff) Write(p []byte) (int, error) {
	c.SetWriteDeadline(time.Now().Add(testLimit))
	if c.up < 0 || len(p) <= c.up {
		n, err := c.TCPConn.Write(p)
		c.up -= min(n, max(c.up, 0))
		return n, err
	}
	n, _ := c.TCPConn.Write(p[:c.up])
	c.up -= n
	return n, c.cut()
}

func (c *cutOff) Read(p []byte) (int, error) {
	if c.down == 0 {
		return 0, c.cut()
	}
	if c.down > 0 {
		p = p[:min(len(p), c.down)]
	}
	c.SetReadDeadline(time.Now().Add(testLimit))
	n, err := c.TCPConn.Read(p)
	c.down -= min(n, max(c.down, 0))
	return n, err
}

func (c *cutOff) cut() error {
	if !c.stalls {
		c.Close()
	}
	return errCut
}

// A modelConn is one connection of a model's.
type modelConn struct {
	*peer
	conn *cutOff
	m    *model
	last int // the number of the last message that has come on it; 0: none
}

// say adds a message that is answered with some lines.
func (m *model) say(lines int) {
	m.sent++
	m.lines = append(m.lines, lines)
}

// sayMore says so many messages, the last of which is answered, if the server has
// those from before as far as the client can know.
func (m *model) sayMore(n int) {
	if m.counting && m.sent > m.told || m.sent > m.wrote {
		return
	}
	for i := range n {
		m.say((m.sent + i) % 3 * i)
	}
	m.lines[m.sent-1]++
}

// visit connects, and sends and reads until the connection is cut; or, if it is
// not to be cut, until all has been said and heard.
func (m *model) visit(up, down int, stalls bool) {
	m.t.Helper()
	v, err := m.dial(up, down, stalls)
	if err == nil {
		err = v.talk()
	}
	m.leave()
	if m.open = v.conn; !stalls {
		m.leave()
	}
	if err != nil && !errors.Is(err, errCut) {
		m.t.Fatalf("up %d, down %d: after %d messages sent, %d received: %v", up, down, m.wrote, m.got, err)
	}
}

// leave closes the connection that was left open, if there is one.
func (m *model) leave() {
	if m.open != nil {
		m.open.Close()
	}
	m.open = nil
}

func (m *model) query() string {
	if m.counting && m.known {
		return received(m.key, int64(m.got))
	}
	return keyed(m.key)
}

func (m *model) dial(up, down int, stalls bool) (*modelConn, error) {
	nc, err := net.Dial("tcp", m.srv.Listener.Addr().String())
	if err != nil {
		m.t.Fatal(err)
	}
	c := &cutOff{nc.(*net.TCPConn), up, down, stalls}
	v := &modelConn{peer: &peer{TCPConn: c.TCPConn, t: m.t, r: bufio.NewReader(c)}, conn: c, m: m}
	v.compresses = m.compress
	var lines []string
	if m.counting {
		lines = append(lines, "Sec-WebSocket-Protocol: wsbridge.v1")
	}
	if m.compress {
		lines = append(lines, "Sec-WebSocket-Extensions: permessage-deflate")
	}
	if _, err := io.WriteString(c, handshakeFor(m.srv, "/?"+m.query(), lines...)); err != nil {
		return v, err
	}
	resp, err := http.ReadResponse(v.r, nil)
	if err != nil {
		return v, v.ended(err)
	}
	if resp.StatusCode != http.StatusSwitchingProtocols {
		return v, errors.New(resp.Status)
	}
	return v, nil
}

// ended makes an error of a connection that was cut errCut.
func (v *modelConn) ended(err error) error {
	if v.conn.down == 0 {
		return errCut
	}
	return err
}

// talk is what a connection is for.
func (v *modelConn) talk() error {
	m := v.m
	next := m.wrote
	if m.counting {
		text, err := v.read()
		if err != nil {
			return err
		}
		if next, err = v.greeted(text); err != nil {
			return err
		}
	}
	for {
		if err := v.sayFrom(next); err != nil {
			return err
		}
		for !v.hasAll() {
			line, err := v.read()
			if err == nil && !m.ended {
				err = v.hear(line)
			}
			if err != nil || m.ended {
				return err
			}
		}
		if v.conn.up < 0 && v.conn.down < 0 {
			return nil
		}
		next = m.wrote
		m.sayMore(3)
	}
}

// sayFrom sends the messages behind one.
func (v *modelConn) sayFrom(next int) error {
	m := v.m
	for ; next < m.sent; next++ {
		said := fmt.Sprint(next+1, " ", m.lines[next], " ", m.sizeOf(next))
		if m.exits && next == m.sent-1 {
			said += " exit"
		}
		if _, err := v.conn.Write(text(said)); err != nil {
			return err
		}
		m.wrote = max(m.wrote, next+1)
	}
	return nil
}

// sizeOf is how much the program says to a message.
func (m *model) sizeOf(n int) int { return n * 7 % (m.size + 1) }

// hasAll reports whether nothing more is to come.
func (v *modelConn) hasAll() bool {
	m := v.m
	switch {
	case m.exits:
		return false
	case m.counting:
		sum := 0
		for _, n := range m.lines {
			sum += n
		}
		return m.got == sum
	}
	for n := m.sent; n > 0; n-- {
		if m.lines[n-1] > 0 {
			return m.told >= n
		}
	}
	return true
}

// greeted checks a greeting, and returns how many messages the server has.
func (v *modelConn) greeted(text string) (received int, err error) {
	var g greeting
	m := v.m
	err = json.Unmarshal([]byte(text), &g)
	if err != nil || g.Session != m.key || m.known && !g.Resumed || g.Next != int64(m.got)+1 ||
		g.Received < int64(m.read) || g.Received > int64(m.wrote) {
		return 0, fmt.Errorf("greeted with %s, %w, with %d messages written and %d read", text, err, m.wrote, m.read)
	}
	m.known = true
	m.greets++
	return int(g.Received), nil
}

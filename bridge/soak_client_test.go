package bridge

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"syscall"
	"time"
)

// soakPatience is how long a client waits for a byte before it calls that a hang.
const soakPatience = 2 * time.Minute

var soakPaths = map[Framing]string{Lines: "/lines", Chunks: "/chunks"}

// soakBehaviours is what clients and their children do.
var soakBehaviours = []struct {
	name string
	run  func(*soakClient) error
}{
	{"echo", (*soakClient).echo},
	{"binary", (*soakClient).binary},
	{"stream", (*soakClient).stream},
	{"stall", (*soakClient).stall},
	{"leave", (*soakClient).leave},
	{"reset", (*soakClient).reset},
	{"half", (*soakClient).half},
	{"exit", (*soakClient).exit},
	{"signal", (*soakClient).signal},
	{"orphan", (*soakClient).orphan},
	{"slow", (*soakClient).slow},
	{"pings", (*soakClient).pings},
}

func init() { children["soak"] = soakChild }

// soakFiller is what messages are made of.
const soakUnit = "grüße, 世界 🌍 "

var soakFiller = bytes.Repeat([]byte(soakUnit), 5000)

// appendSoakMessage appends message i of a session: most are short, a few
// longer than any buffer on their way.
func appendSoakMessage(dst []byte, seed, i uint64) []byte {
	h := (seed<<32 + i + 1) * 0x9e3779b97f4a7c15
	h ^= h >> 29
	units := h >> 7
	switch n := h % 128; {
	case n == 0:
		units %= 5000
	case n < 13:
		units %= 200
	default:
		units %= 10
	}
	dst = append(strconv.AppendUint(dst, i, 10), ' ')
	dst = append(dst, soakFiller[:units*uint64(len(soakUnit))]...)
	return append(dst, '.')
}

// A soakClient is the client of one session. Its methods for the behaviours
// return what went wrong.
type soakClient struct {
	*soak
	*net.TCPConn
	rand *rand.Rand
	seed uint64 // what the messages depend on
	r    *bufio.Reader

	out      []byte // not yet sent
	payload  []byte // of the message that was read last
	want     []byte
	pong     string // the last that came
	sent     int64
	received int64
	bytes    int64
}

// Read waits for a byte, but not for ever; so does flush for the socket.
func (c *soakClient) Read(p []byte) (int, error) {
	c.SetReadDeadline(time.Now().Add(soakPatience))
	return c.TCPConn.Read(p)
}

func (c *soakClient) flush() error {
	c.SetWriteDeadline(time.Now().Add(soakPatience))
	_, err := c.Write(c.out)
	c.out = c.out[:0]
	return err
}

// open makes the connection. Arguments for the child travel in the query.
func (c *soakClient) open(framing Framing, do string, args ...any) error {
	nc, err := net.Dial("tcp", c.srv.Listener.Addr().String())
	if err != nil {
		return err
	}
	c.TCPConn = nc.(*net.TCPConn)
	c.r = bufio.NewReaderSize(c, 4<<10)
	query := url.Values{"do": {do}, "seed": {fmt.Sprint(c.seed)}}
	for i := 0; i < len(args); i += 2 {
		query.Set(args[i].(string), fmt.Sprint(args[i+1]))
	}
	c.out = append(c.out, handshakeFor(c.srv, soakPaths[framing]+"?"+query.Encode())...)
	if err := c.flush(); err != nil {
		return err
	}
	resp, err := http.ReadResponse(c.r, nil)
	if err == nil && resp.StatusCode != http.StatusSwitchingProtocols {
		err = errors.New(resp.Status)
	}
	return err
}

// rest is what a client does between two things.
func (c *soakClient) rest() { time.Sleep(rand.N(c.pause)) }

// add appends a message to out, perhaps in several frames.
func (c *soakClient) add(first byte, p []byte) {
	c.sent++
	c.bytes += int64(len(p))
	for c.rand.IntN(8) == 0 {
		n := c.rand.IntN(len(p) + 1)
		c.out = appendFrame(c.out, first, p[:n], true)
		first, p = opContinuation, p[n:]
	}
	c.out = appendFrame(c.out, finBit|first, p, true)
}

// message appends message i to out.
func (c *soakClient) message(i int64) {
	c.want = appendSoakMessage(c.want[:0], c.seed, uint64(i))
	c.add(opText, c.want)
}

// read reads up to the end of the next message, or a close frame, or a pong.
func (c *soakClient) read() (op byte, err error) {
	c.payload = c.payload[:0]
	for {
		var h [10]byte
		if _, err := io.ReadFull(c.r, h[:2]); err != nil {
			return 0, err
		}
		if h[0]&0x70 != 0 || h[1]&maskBit != 0 {
			return 0, fmt.Errorf("a frame begins with %x", h[:2])
		}
		n := uint64(h[1])
		switch n {
		case 126:
			if _, err := io.ReadFull(c.r, h[2:4]); err != nil {
				return 0, err
			}
			n = uint64(binary.BigEndian.Uint16(h[2:]))
		case 127:
			if _, err := io.ReadFull(c.r, h[2:10]); err != nil {
				return 0, err
			}
			n = binary.BigEndian.Uint64(h[2:])
		}
		start := len(c.payload)
		if n > 4<<20 {
			return 0, fmt.Errorf("a frame of %d bytes", n)
		}
		c.payload = append(c.payload, make([]byte, n)...)
		if _, err := io.ReadFull(c.r, c.payload[start:]); err != nil {
			return 0, err
		}
		switch got := h[0] & 0xf; got {
		case opPing:
			c.out = appendFrame(c.out, finBit|opPong, c.payload[start:], true)
			if err := c.flush(); err != nil {
				return 0, err
			}
			c.payload = c.payload[:start]
			continue
		case opPong:
			c.pong = string(c.payload[start:])
			return opPong, nil
		case opContinuation:
			if op == 0 {
				return 0, errors.New("a continuation of nothing")
			}
		case opClose:
			return opClose, nil
		default:
			if op != 0 {
				return 0, fmt.Errorf("opcode %x within a message", got)
			}
			op = got
		}
		if h[0]&finBit != 0 {
			c.received++
			c.bytes += int64(len(c.payload))
			return op, nil
		}
	}
}

// expect reads message i.
func (c *soakClient) expect(i int64) error {
	op, err := c.read()
	if err != nil {
		return err
	}
	c.want = appendSoakMessage(c.want[:0], c.seed, uint64(i))
	if op != opText || !bytes.Equal(c.payload, c.want) {
		return fmt.Errorf("opcode %x, %d bytes %.40q, want message %d, %d bytes", op, len(c.payload), c.payload, i, len(c.want))
	}
	return nil
}

// ended reads the close frame, answers if it is not an answer itself, and
// waits for the end of the connection.
func (c *soakClient) ended(want Close, answer bool) error {
	op, err := c.read()
	if err != nil {
		return fmt.Errorf("reading the close frame: %w", err)
	}
	return c.closed(op, want, answer)
}

func (c *soakClient) closed(op byte, want Close, answer bool) error {
	if op != opClose || len(c.payload) < 2 {
		return fmt.Errorf("opcode %x %.40q, want a close frame with %v", op, c.payload, want)
	}
	if got := (Close{int(binary.BigEndian.Uint16(c.payload)), string(c.payload[2:])}); got != want {
		return fmt.Errorf("closed with %v, want %v", got, want)
	}
	if answer {
		c.out = appendFrame(c.out, finBit|opClose, c.payload[:2], true)
		if err := c.flush(); err != nil {
			return err
		}
	}
	if b, err := io.ReadAll(c.r); err != nil || len(b) > 0 {
		return fmt.Errorf("after the close frame: %d bytes, %w", len(b), err)
	}
	return nil
}

// close ends the session from the client's side.
func (c *soakClient) close() error {
	bye := Close{1000 + 3000*c.rand.IntN(2), "done"}
	c.out = append(c.out, closing(bye.Code, bye.Reason)...)
	if err := c.flush(); err != nil {
		return err
	}
	return c.ended(bye, false)
}

// burst sends some messages from message i on, of which the last is i before
// the one that it returns. They are less than the backlog can hold, so that
// nobody need read meanwhile.
func (c *soakClient) burst(i int64) (int64, error) {
	for n := c.rand.IntN(200); n >= 0 && len(c.out) < 100<<10; n-- {
		c.message(i)
		i++
	}
	return i, c.flush()
}

func (c *soakClient) echo() error {
	if err := c.open(Lines, "echo"); err != nil {
		return err
	}
	for next, rounds := int64(0), 10; rounds > 0 && !c.over.Load(); rounds-- {
		end, err := c.burst(next)
		if err != nil {
			return err
		}
		for ; next < end; next++ {
			if err := c.expect(next); err != nil {
				return err
			}
		}
		c.rest()
	}
	return c.close()
}

// binary compares a stream of bytes: where its messages begin is not kept.
func (c *soakClient) binary() error {
	if err := c.open(Chunks, "copy"); err != nil {
		return err
	}
	for rounds := 10; rounds > 0 && !c.over.Load(); rounds-- {
		var all []byte
		for n := c.rand.IntN(100); n >= 0 && len(all) < 100<<10; n-- {
			p := make([]byte, c.rand.IntN(1<<c.rand.IntN(17)))
			for i := range p {
				p[i] = byte(c.rand.Uint32())
			}
			all = append(all, p...)
			c.add(opBinary, p)
		}
		if err := c.flush(); err != nil {
			return err
		}
		for len(all) > 0 {
			op, err := c.read()
			if err != nil {
				return err
			}
			rest, ok := bytes.CutPrefix(all, c.payload)
			if op != opBinary || !ok {
				return fmt.Errorf("opcode %x, %d bytes that are not what was sent", op, len(c.payload))
			}
			all = rest
		}
		c.rest()
	}
	return c.close()
}

// lines reads the messages from i to n.
func (c *soakClient) lines(i, n int64) error {
	for ; i < n; i++ {
		if err := c.expect(i); err != nil {
			return err
		}
	}
	return nil
}

func (c *soakClient) stream() error {
	n := c.rand.Int64N(20_000)
	if err := c.open(Lines, "stream", "n", n, "status", 0); err != nil {
		return err
	}
	if err := c.lines(0, n); err != nil {
		return err
	}
	return c.ended(Close{1000, ""}, true)
}

func (c *soakClient) stall() error {
	n := 1 + c.rand.Int64N(5000)
	if err := c.open(Lines, "stream", "n", n, "status", 3); err != nil {
		return err
	}
	c.SetReadBuffer(64 << 10)
	for i := int64(0); i < n; {
		end := min(n, i+c.rand.Int64N(3000))
		if err := c.lines(i, end); err != nil {
			return err
		}
		i = end
		c.rest()
	}
	return c.ended(Close{4003, "exit status 3"}, true)
}

// leave closes in the middle of a stream: what follows is still in order.
func (c *soakClient) leave() error {
	if err := c.open(Lines, "stream", "n", 1_000_000_000); err != nil {
		return err
	}
	i := c.rand.Int64N(5000)
	if err := c.lines(0, i); err != nil {
		return err
	}
	c.rest()
	c.out = append(c.out, closing(4999, "")...)
	if err := c.flush(); err != nil {
		return err
	}
	for ; ; i++ {
		op, err := c.read()
		if err != nil {
			return err
		}
		if op == opClose {
			return c.closed(op, Close{4999, ""}, false)
		}
		c.want = appendSoakMessage(c.want[:0], c.seed, uint64(i))
		if op != opText || !bytes.Equal(c.payload, c.want) {
			return fmt.Errorf("opcode %x %.40q, want message %d", op, c.payload, i)
		}
	}
}

// reset is gone without a word, whatever is under way.
func (c *soakClient) reset() error {
	do := []string{"echo", "stream", "slow"}[c.rand.IntN(3)]
	if err := c.open(Lines, do, "n", 1_000_000_000); err != nil {
		return err
	}
	next := int64(0)
	for n := c.rand.IntN(6); n > 0; n-- {
		end, err := c.burst(next)
		if err != nil {
			return err
		}
		switch do {
		case "echo":
			if err := c.lines(next, end); err != nil {
				return err
			}
		case "stream":
			if err := c.lines(next, end); err != nil {
				return err
			}
		}
		next = end
		c.rest()
	}
	if _, err := c.burst(next); err != nil {
		return err
	}
	return c.SetLinger(0)
}

// half is gone in the middle of a message, of which the child must see
// nothing. What comes before it fits into a pipe, so that the child's end
// does not cut it.
func (c *soakClient) half() error {
	if err := c.open(Lines, "echo", "whole", 1); err != nil {
		return err
	}
	i := int64(0)
	for n := c.rand.IntN(20); i < int64(n) && len(c.out) < 16<<10; i++ {
		c.message(i)
	}
	if len(c.out) > 30<<10 {
		c.out, i = nil, 0
	}
	if c.rand.IntN(2) == 0 {
		if err := c.flush(); err != nil {
			return err
		}
		if err := c.lines(0, i); err != nil {
			return err
		}
		c.rest()
	}
	p := append(appendSoakMessage(nil, c.seed, uint64(i)), "never the end"...)
	whole := len(c.out)
	if c.rand.IntN(2) == 0 {
		c.out = appendFrame(c.out, opText, p, true)
	} else {
		c.out = appendFrame(c.out, finBit|opText, p, true)
		c.out = c.out[:whole+1+c.rand.IntN(len(c.out)-whole-1)]
	}
	if err := c.flush(); err != nil {
		return err
	}
	switch c.rand.IntN(3) {
	case 0:
		return c.SetLinger(0)
	case 1: // the server sees an end, not a reset
		if err := c.CloseWrite(); err != nil {
			return err
		}
		io.Copy(io.Discard, c.r)
	}
	return nil
}

func (c *soakClient) exit() error {
	status, n := c.rand.IntN(256), c.rand.Int64N(300)
	if err := c.open(Lines, "stream", "n", n, "status", status, "wait", 1); err != nil {
		return err
	}
	c.rest()
	c.message(0)
	if err := c.flush(); err != nil {
		return err
	}
	if c.rand.IntN(2) == 0 {
		c.rest() // the child has gone before anybody reads
	}
	if err := c.lines(0, n); err != nil {
		return err
	}
	want := Close{4000 + status, fmt.Sprint("exit status ", status)}
	if status == 0 {
		want = Close{1000, ""}
	}
	return c.ended(want, true)
}

func (c *soakClient) signal() error {
	sig := []syscall.Signal{syscall.SIGHUP, syscall.SIGINT, syscall.SIGKILL, syscall.SIGTERM}[c.rand.IntN(4)]
	want := Close{4128 + int(sig), "signal: " + sig.String()}
	if runtime.GOOS == "windows" { // where there is one, and it is an exit status
		sig, want = syscall.SIGKILL, Close{4001, "exit status 1"}
	}
	n := c.rand.Int64N(300)
	if err := c.open(Lines, "stream", "n", n, "signal", int(sig), "wait", 1); err != nil {
		return err
	}
	c.rest()
	c.message(0)
	if err := c.flush(); err != nil {
		return err
	}
	if err := c.lines(0, n); err != nil {
		return err
	}
	return c.ended(want, true)
}

// orphan has a child that leaves a process behind, perhaps one that holds its
// output.
func (c *soakClient) orphan() error {
	if err := c.open(Lines, "stream", "n", 1, "status", 9, "orphan", c.rand.IntN(2)); err != nil {
		return err
	}
	if err := c.lines(0, 1); err != nil {
		return err
	}
	c.rest()
	return c.ended(Close{4009, "exit status 9"}, true)
}

// slow sends more than its child reads for a while, and at times more than
// the backlog holds.
func (c *soakClient) slow() error {
	if err := c.open(Lines, "slow"); err != nil {
		return err
	}
	next := int64(0)
	for total := c.rand.IntN(1500 << 10); total > 0 && !c.over.Load(); {
		end, err := c.burst(next)
		if err != nil {
			return err
		}
		total -= 100 << 10
		next = end
	}
	c.add(opText, []byte("end"))
	if err := c.flush(); err != nil {
		return err
	}
	op, err := c.read()
	if err != nil {
		return err
	}
	if want := fmt.Sprint(next); op != opText || string(c.payload) != want {
		return fmt.Errorf("the child has read %s messages, %s were sent", c.payload, want)
	}
	return c.close()
}

func (c *soakClient) pings() error {
	if err := c.open(Lines, "echo"); err != nil {
		return err
	}
	for i := int64(0); i < 30 && !c.over.Load(); i++ {
		c.pong = ""
		last := ""
		for n := c.rand.IntN(20); n >= 0; n-- {
			last = fmt.Sprint(i, " ", n)
			c.out = append(c.out, ping(last)...)
		}
		c.message(i)
		if err := c.flush(); err != nil {
			return err
		}
		for echoed := false; !echoed || c.pong != last; {
			op, err := c.read()
			if err != nil {
				return err
			}
			if op == opPong {
				continue
			}
			c.want = appendSoakMessage(c.want[:0], c.seed, uint64(i))
			if op != opText || echoed || !bytes.Equal(c.payload, c.want) {
				return fmt.Errorf("opcode %x %.40q, want message %d", op, c.payload, i)
			}
			echoed = true
		}
		if i%3 == 0 {
			c.rest()
		}
	}
	return c.close()
}

// soakChild is what runs for all of these. It tells on stderr of what it
// should not have read.
func soakChild(args []string) {
	if len(args) > 0 { // what an orphan is
		time.Sleep(time.Hour)
	}
	query, _ := url.ParseQuery(os.Getenv("QUERY_STRING"))
	seed, _ := strconv.ParseUint(query.Get("seed"), 10, 64)
	in, out := bufio.NewReader(os.Stdin), bufio.NewWriter(os.Stdout)
	var buf []byte
	// check tells whether a line is message i.
	check := func(i uint64, line []byte) {
		buf = append(appendSoakMessage(buf[:0], seed, i), '\n')
		if !bytes.Equal(line, buf) {
			fmt.Fprintf(os.Stderr, "read %d bytes %.40q in place of message %d\n", len(line), line, i)
			os.Exit(1)
		}
	}
	switch query.Get("do") {
	case "copy":
		io.Copy(os.Stdout, os.Stdin)
	case "echo":
		for i := uint64(0); ; i++ {
			line, err := readLine(in)
			if err != nil {
				if len(line) > 0 && query.Has("whole") {
					check(i, line)
				}
				break
			}
			check(i, line)
			out.Write(line)
			if in.Buffered() == 0 {
				out.Flush()
			}
		}
	case "slow":
		pace := 0
		for i := uint64(0); ; i++ {
			line, err := readLine(in)
			if err != nil {
				break
			}
			if string(line) == "end\n" {
				fmt.Fprintln(out, i)
				out.Flush()
				continue
			}
			check(i, line)
			if pace += len(line); pace > 16<<10 {
				time.Sleep(10 * time.Millisecond)
				pace = 0
			}
		}
	case "stream":
		if query.Has("wait") {
			line, _ := readLine(in)
			check(0, line)
		}
		if query.Has("orphan") {
			c := exec.Command(os.Args[0], "soak", "orphan")
			if query.Get("orphan") == "1" {
				c.Stdout = os.Stdout
			}
			if err := c.Start(); err != nil {
				fmt.Fprintln(os.Stderr, err)
			}
		}
		n, _ := strconv.ParseUint(query.Get("n"), 10, 64)
		for i := range n {
			buf = append(appendSoakMessage(buf[:0], seed, i), '\n')
			out.Write(buf)
		}
		out.Flush()
		if query.Has("signal") {
			children["suicide"]([]string{query.Get("signal")})
		}
		os.Exit(number(query.Get("status")))
	}
	out.Flush()
}

// readLine is ReadSlice for lines of any length.
func readLine(r *bufio.Reader) ([]byte, error) {
	line, err := r.ReadSlice('\n')
	if !errors.Is(err, bufio.ErrBufferFull) {
		return line, err
	}
	head := bytes.Clone(line)
	line, err = r.ReadBytes('\n')
	return append(head, line...), err
}

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
	"strconv"
	"sync"
	"time"
)

// soakPatience is how long a client waits for a byte before it calls that a hang.
const soakPatience = 2 * time.Minute

var soakPaths = map[Framing]string{Lines{}: "/lines", Chunks{}: "/chunks"}

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

var soakFiller = sync.OnceValue(func() []byte { return bytes.Repeat([]byte(soakUnit), 5000) })

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
	dst = append(dst, soakFiller()[:units*uint64(len(soakUnit))]...)
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
func (c *soakClient) rest() { time.Sleep(time.Duration(c.rand.Int64N(int64(c.pause)))) }

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
func (c *soakClient) ended(want Ending, answer bool) error {
	op, err := c.read()
	if err != nil {
		return fmt.Errorf("reading the close frame: %w", err)
	}
	return c.closed(op, want, answer)
}

func (c *soakClient) closed(op byte, want Ending, answer bool) error {
	if op != opClose || len(c.payload) < 2 {
		return fmt.Errorf("opcode %x %.40q, want a close frame with %v", op, c.payload, want)
	}
	if got := (Ending{int(binary.BigEndian.Uint16(c.payload)), string(c.payload[2:])}); got != want {
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

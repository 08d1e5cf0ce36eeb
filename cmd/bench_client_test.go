package cmd_test

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"net"
	"net/http"
	"time"
)

// A benchClient costs as little as a client can, since it shares the machine
// with the server that is measured: it skips payloads and masks with a key of
// zeros.
type benchClient struct {
	net.Conn
	r *bufio.Reader
}

func benchDial(addr string) (*benchClient, error) {
	nc, err := net.Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	c := &benchClient{nc, bufio.NewReaderSize(nc, 4<<10)}
	_ = nc.SetDeadline(time.Now().Add(10 * time.Minute)) // rather than for ever
	_, err = fmt.Fprintf(nc, "GET / HTTP/1.1\r\nHost: %s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n", addr)
	if err != nil {
		nc.Close()
		return nil, err
	}
	answer, err := http.ReadResponse(c.r, nil)
	if err == nil && answer.StatusCode != http.StatusSwitchingProtocols {
		err = fmt.Errorf("the handshake is answered with %s", answer.Status)
	}
	if err != nil {
		nc.Close()
		return nil, err
	}
	return c, nil
}

// wide makes the client read much at once.
func (c *benchClient) wide() { c.r = bufio.NewReaderSize(c.r, 256<<10) }

// Opcodes and bits of a frame's header (RFC 6455, section 5.2).
const (
	benchText  = 0x1
	benchClose = 0x8
	benchPing  = 0x9
	benchPong  = 0xA
	benchFin   = 0x80
	benchMask  = 0x80
)

// benchFrame is a client's frame with less than 64 KiB.
func benchFrame(opcode byte, payload []byte) []byte {
	frame := []byte{benchFin | opcode, benchMask | byte(len(payload))}
	if len(payload) > 125 {
		frame = binary.BigEndian.AppendUint16([]byte{benchFin | opcode, benchMask | 126}, uint16(len(payload)))
	}
	frame = append(frame, 0, 0, 0, 0) // the key
	return append(frame, payload...)
}

type benchClosed struct{}

func (benchClosed) Error() string { return "the server sent a close frame" }

// skip reads a message and returns its size. The error is benchClosed when a
// close frame comes instead.
func (c *benchClient) skip() (size int, err error) {
	for {
		first, n, err := c.header()
		if err != nil {
			return size, err
		}
		switch first & 0xf {
		case benchClose:
			return size, benchClosed{}
		case benchPing:
			payload, err := c.r.Peek(n)
			if err != nil {
				return size, err
			}
			if _, err := c.Write(benchFrame(benchPong, payload)); err != nil {
				return size, err
			}
		}
		if _, err := c.r.Discard(n); err != nil {
			return size, err
		}
		if first&0xf >= benchClose {
			continue
		}
		size += n
		if first&benchFin != 0 {
			return size, nil
		}
	}
}

func (c *benchClient) header() (first byte, size int, err error) {
	h, err := c.r.Peek(2)
	if err != nil {
		return 0, 0, err
	}
	first, size = h[0], int(h[1])
	length := 2
	switch size {
	case 126:
		length = 4
		if h, err = c.r.Peek(length); err == nil {
			size = int(binary.BigEndian.Uint16(h[2:]))
		}
	case 127:
		length = 10
		if h, err = c.r.Peek(length); err == nil {
			size = int(binary.BigEndian.Uint64(h[2:]))
		}
	}
	if err == nil {
		_, err = c.r.Discard(length)
	}
	return first, size, err
}

// ask sends a frame and waits for the message that answers it.
func (c *benchClient) ask(frame []byte) (time.Duration, error) {
	start := time.Now()
	if _, err := c.Write(frame); err != nil {
		return 0, err
	}
	_, err := c.skip()
	return time.Since(start), err
}

// finish waits for the server's close frame and answers it. Some servers drop
// the connection without one.
func (c *benchClient) finish() error {
	for {
		switch _, err := c.skip(); err.(type) {
		case nil:
		case benchClosed:
			_, _ = c.Write(benchFrame(benchClose, nil))
			return nil
		case net.Error:
			return err
		default:
			return nil
		}
	}
}

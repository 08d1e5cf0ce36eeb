package bridge

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"log"
	"maps"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/wsbridge/wsbridge/process"
)

// inPieces returns how large the next piece of something is, in a cycle
// through sizes. 255 stands for a piece without a limit.
func inPieces(sizes []byte) func(left int) int {
	i := 0
	return func(left int) int {
		if len(sizes) == 0 {
			return left
		}
		b := int(sizes[i%len(sizes)])
		i++
		if b == 255 {
			return left
		}
		return min(left, 1+b*b/8)
	}
}

// A memConn is a connection in memory: what the peer has sent is there from
// the beginning, and then its end. It has no CloseWrite, so that nobody waits
// for the peer.
type memConn struct {
	net.Conn
	piece  func(left int) int
	onSend func() // called in each Write

	mu      sync.Mutex
	in      []byte
	out     bytes.Buffer
	stopped bool
	closed  bool
}

func (c *memConn) Read(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.closed:
		return 0, net.ErrClosed
	case c.stopped:
		return 0, os.ErrDeadlineExceeded
	case len(c.in) == 0:
		return 0, io.EOF
	}
	n := copy(p, c.in[:c.piece(len(c.in))])
	c.in = c.in[n:]
	return n, nil
}

func (c *memConn) Write(p []byte) (int, error) {
	if c.onSend != nil {
		c.onSend()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return 0, net.ErrClosed
	}
	return c.out.Write(p)
}

func (c *memConn) SetReadDeadline(t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stopped = !t.IsZero() && t.Before(time.Now())
	return nil
}

func (c *memConn) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	return nil
}

func (c *memConn) RemoteAddr() net.Addr             { return &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 4711} }
func (c *memConn) LocalAddr() net.Addr              { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 80} }
func (c *memConn) SetDeadline(time.Time) error      { return nil }
func (c *memConn) SetWriteDeadline(time.Time) error { return nil }

// A memUpgrade is a ResponseWriter that gives a memConn up, with the first
// bytes already read.
type memUpgrade struct {
	conn  *memConn
	early []byte
}

func (u memUpgrade) Header() http.Header         { return http.Header{} }
func (u memUpgrade) Write(p []byte) (int, error) { return len(p), nil }
func (u memUpgrade) WriteHeader(int)             {}
func (u memUpgrade) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	r := bufio.NewReader(bytes.NewReader(u.early))
	_, err := r.Peek(len(u.early))
	return u.conn, bufio.NewReadWriter(r, bufio.NewWriter(u.conn)), err
}

// inMemory is a session with nothing at its other end but to, in which the
// client sends in and is gone.
func inMemory(t *testing.T, framing Framing, limit int, in []byte, sizes []byte, to sink) (*session, *memConn) {
	piece := inPieces(sizes)
	early := min(piece(len(in)), 4096)
	nc := &memConn{in: in[early:], piece: piece}
	s := &session{framing: framing, maxMessageSize: limit, draining: context.Background(), killed: context.Background()}
	s.ctx, s.end = context.WithCancelCause(context.Background())
	if err := s.upgrade(memUpgrade{nc, in[:early]}, upgradeRequest()); err != nil {
		t.Fatal(err)
	}
	s.attach(nil, to)
	return s, nc
}

// receiveAll is the session's way from the client to the child.
func receiveAll(s *session) {
	defer time.AfterFunc(time.Minute, func() { panic("the session hangs") }).Stop()
	s.input()
	s.feed.finish()
	s.close(context.Cause(s.ctx), process.State{})
	s.wg.Wait()
}

// sentFrames reads what a server has sent, which must be whole frames.
func sentFrames(t *testing.T, sent []byte) []frame {
	t.Helper()
	p := &peer{t: t, r: bufio.NewReader(bytes.NewReader(sent))}
	var frames []frame
	for {
		f, err := p.frame()
		if err == io.EOF {
			return frames
		}
		if err != nil {
			t.Fatalf("frame %d: %v", len(frames), err)
		}
		frames = append(frames, f)
	}
}

// What a child writes arrives line by line, with control frames only between
// the frames; in binary mode byte by byte.
func FuzzOutput(f *testing.F) {
	for i, s := range []string{"", "\n", "a\r\nb", "\r", "a\n\n\nb\n", "x\ry\r\n", "\xf0\x9f\x98\x80\n", "\xff\xfe\n\xe4\xb8", strings.Repeat("line\n", 100)} {
		for pad := range uint8(len(outputPads)) {
			f.Add([]byte(s), []byte{0, 3, 255}, 4*pad+2, i%2 == 0, i%3 == 0)
		}
	}
	// pad brings data to the edges of buffers and frames.
	f.Fuzz(func(t *testing.T, data, sizes []byte, pad uint8, masked, chunks bool) {
		n := max(outputPads[int(pad/4)%len(outputPads)]+int(pad%4)-2, 0)
		written := append(bytes.Repeat([]byte("x"), n), data...)
		nc := &memConn{}
		s := &session{
			conn:   newConn(nc, nc, nil),
			source: io.MultiReader(bytes.NewReader(written[:n]), &memConn{in: bytes.Clone(data), piece: inPieces(sizes)}),
		}
		if chunks {
			s.framing = Chunks
		}
		s.conn.masked = masked
		pings := 0
		nc.onSend = func() {
			if pings++; pings%3 == 1 { // as the library does, or a timer, while a write is under way
				s.conn.control(appendFrame(nil, finBit|opPing, []byte("ping"), masked))
			}
		}
		if _, err := s.deliver(); err != nil {
			t.Fatal(err)
		}
		var messages []string
		var message []byte
		within := false
		for rest := nc.out.Bytes(); len(rest) > 0; {
			var first byte
			var payload []byte
			var isMasked bool
			first, payload, isMasked, rest = parseFrame(t, rest)
			if isMasked != masked {
				t.Fatalf("masked: %t", isMasked)
			}
			op := byte(opText)
			switch {
			case first == finBit|opPing && string(payload) == "ping":
				continue
			case within:
				op = opContinuation
			case chunks:
				op = opBinary
			}
			if first&0x7f != op || len(payload) > maxFrame && utf8.Valid(written) {
				t.Fatalf("a frame begins with %x and has %d bytes", first, len(payload))
			}
			message = append(message, payload...)
			within = first&finBit == 0
			if !within {
				messages = append(messages, string(message))
				message = nil
			}
		}
		if within {
			t.Fatal("the last message has no end")
		}
		if s.out.messages != int64(len(messages)) {
			t.Errorf("%d messages, %d were counted", len(messages), s.out.messages)
		}
		if chunks {
			if strings.Join(messages, "") != string(written) || slices.Contains(messages, "") {
				t.Errorf("%d chunks of %d bytes are not what was written, or empty", len(messages), len(written))
			}
			return
		}
		want := linesOf(string(written))
		for i := range want {
			if !utf8.ValidString(want[i]) {
				want[i] = string([]rune(want[i])) // one U+FFFD for each byte that is wrong
			}
		}
		if !slices.Equal(messages, want) {
			t.Errorf("%d bytes, then %q: other messages than there are lines", n, data)
		}
		if joined := strings.Join(append(messages, ""), "\n"); utf8.Valid(written) && !bytes.Contains(written, []byte("\r")) &&
			strings.TrimSuffix(joined, "\n") != strings.TrimSuffix(string(written), "\n") {
			t.Errorf("%d bytes, then %q: joined again they are something else", n, data)
		}
	})
}

var outputPads = []int{0, 0, 0, 125, smallBuffer - maxHeader, smallBuffer, 65535, largeBuffer, maxFrame}

// Messages of any content, in frames and segments of any size and with pings
// between them, are what the child reads, however it takes them.
func FuzzInput(f *testing.F) {
	for i, s := range []string{"", "one two three", "grüße, 世界 🌍", "a\nb\r\n", "\x00\xff\xfe", strings.Repeat("long ", 2000)} {
		f.Add([]byte(s), []byte{3, 0x40, 0x85, 0xff, 5, 0x7f}, []byte{0, 1, 20, 255}, []byte{255}, i%2 == 0)
		f.Add([]byte(s), []byte{0xc0, 0x3f}, []byte{1}, []byte{0, 2, 9}, i%2 == 1)
		f.Add([]byte(s), []byte{0x3f, 0x3f, 0x7f}, []byte{255}, []byte{}, false)
	}
	// Each byte of plan makes a frame: the upper bits say of what kind, the
	// lower ones how much of data it takes.
	f.Fuzz(func(t *testing.T, data, plan, sizes, taken []byte, chunks bool) {
		framing := Lines
		if chunks {
			framing = Chunks
		}
		var in, want []byte
		var pings []string
		messages, within := int64(0), false
		for _, b := range plan[:min(len(plan), 200)] {
			n := min(len(data), int(b&0x3f)*int(b&0x3f))
			first := byte(opBinary)
			if within {
				first = opContinuation
			}
			switch b >> 6 {
			case 2:
				n = min(n, 125)
				in = appendFrame(in, finBit|opPing, data[:n], true)
				pings = append(pings, string(data[:n]))
				data = data[n:]
				continue
			case 1:
				within = true
			default:
				if !within && utf8.Valid(data[:n]) {
					first = opText
				}
				within = false
				first |= finBit
			}
			in = appendFrame(in, first, data[:n], true)
			want = append(want, data[:n]...)
			data = data[n:]
			if !within {
				want = framing.terminate(want)
				messages++
			}
		}
		if within {
			in = appendFrame(in, finBit, nil, true)
			want = framing.terminate(want)
			messages++
		}
		in = append(in, closing(4321, "bye")...)

		take := inPieces(taken)
		to := &testSink{}
		if len(taken) > 0 {
			to.ready = func() int { return take(1<<16) - 1 } // at times nothing
		}
		s, nc := inMemory(t, framing, 1<<16, in, sizes, to)
		receiveAll(s)
		if got := to.has(); got != string(want) || to.closed != 1 {
			t.Errorf("the child has read %d bytes, want %d; its input was closed %d times", len(got), len(want), to.closed)
		}
		if s.in.messages != messages {
			t.Errorf("%d messages were counted, want %d", s.in.messages, messages)
		}
		if cause := context.Cause(s.ctx); cause != error(Close{4321, "bye"}) {
			t.Errorf("it ended for %v", cause)
		}
		frames := sentFrames(t, nc.out.Bytes())
		if len(frames) == 0 || frames[len(frames)-1].op != opClose {
			t.Fatal("the close frame was not answered")
		}
		checkPongs(t, frames, pings)
		if size := len(strings.Join(pings, "")) + 6*len(pings); size < maxQueue/2 && len(frames) != len(pings)+1 {
			t.Errorf("%d pings, %d answers", len(pings), len(frames)-1)
		}
	})
}

// checkPongs reports frames that are neither the last, a close frame, nor
// answers to pings, in their order.
func checkPongs(t *testing.T, frames []frame, pings []string) {
	t.Helper()
	for i, f := range frames {
		if !f.fin || f.op != opPong && (f.op != opClose || i < len(frames)-1) {
			t.Fatalf("frame %d of %d has opcode %x", i, len(frames), f.op)
		}
		if f.op != opPong {
			continue
		}
		answered := slices.Index(pings, string(f.payload))
		if answered < 0 {
			t.Fatalf("%q is no answer to one of the pings left: %q", f.payload, pings)
		}
		pings = pings[answered+1:]
	}
}

// Whatever a client sends, the session ends, for a reason that is one, and
// the child has read whole messages and nothing else.
func FuzzClient(f *testing.F) {
	frame := func(first byte, s string) []byte { return appendFrame(nil, first, []byte(s), true) }
	for _, parts := range [][][]byte{
		{},
		{text("one"), text(""), text("grüße 世界 🌍"), closing(1000, "bye")},
		{frame(opText, "a"), ping("p"), frame(opContinuation, "b"), frame(finBit|opContinuation, "c"), text("d")},
		{frame(opText, "a")}, // the end comes between two frames of a message
		{frame(opBinary, "\xff"), frame(finBit, "\x80"), frame(finBit|opBinary, "")},
		{text("x"), text("y")[:6]},
		{text("x"), text("y")[:1]},
		{text("\xff")}, {text("\xe4\xb8")}, {frame(opText, "\xe4"), frame(finBit, "\xb8\x96")},
		{text(strings.Repeat("x", clientLimit))}, {text(strings.Repeat("x", clientLimit+1)), text("y")},
		{frame(opBinary, strings.Repeat("x", clientLimit)), frame(finBit, "x")},
		{[]byte{finBit | opText, maskBit | 127, 64, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5}},
		{[]byte{finBit | opText, maskBit | 127, 255, 0, 0, 0, 0, 0, 0, 0}},
		{[]byte{finBit | opText, maskBit | 126, 0, 1, 0, 0, 0, 0, 'x'}},
		{appendFrame(nil, finBit|opText, []byte("x"), false)},
		{text("x"), frame(finBit|0x40|opText, "x")}, {frame(finBit|0x3, "x")}, {frame(finBit|0xB, "x")},
		{frame(opPing, "x")}, {frame(finBit|opPing, strings.Repeat("x", 126))}, {bytes.Repeat(ping("ping"), 2000)},
		{frame(finBit, "x")}, {frame(opText, "a"), frame(finBit|opText, "b")},
		{closing(1005, "")}, {closing(999, "")}, {closing(1000, "\xff")}, {frame(finBit|opClose, "")}, {frame(finBit|opClose, "x")},
		{closing(1000, strings.Repeat("x", 123)), text("more")}, {closing(1000, strings.Repeat("x", 124))},
		{[]byte("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")},
	} {
		f.Add(bytes.Join(parts, nil), []byte{0, 1, 5, 255}, len(parts)%2 == 0)
		f.Add(bytes.Join(parts, nil), []byte{255}, len(parts)%2 == 1)
	}
	f.Fuzz(func(t *testing.T, in, sizes []byte, chunks bool) {
		framing := Lines
		if chunks {
			framing = Chunks
		}
		want := parseClient(in, framing)
		to := &testSink{ready: all}
		s, nc := inMemory(t, framing, clientLimit, in, sizes, to)
		receiveAll(s)
		if got := to.has(); got != string(want.fed) || to.closed != 1 {
			t.Errorf("the child has read %q, want %q; its input was closed %d times", got, want.fed, to.closed)
		}
		cause, _ := errors.AsType[Close](context.Cause(s.ctx))
		if !slices.Contains(want.codes, cause.Code) {
			t.Errorf("it ended for %v, want one of %d", cause, want.codes)
		}
		frames := sentFrames(t, nc.out.Bytes())
		checkPongs(t, frames, want.pings)
		code := errLost.Code
		if n := len(frames); n > 0 && frames[n-1].op == opClose {
			code = 1005
			if p := frames[n-1].payload; len(p) >= 2 {
				code = int(binary.BigEndian.Uint16(p))
			}
		}
		if code != cause.Code {
			t.Errorf("it ended for %v, the client was told %d", cause, code)
		}
	})
}

const clientLimit = 300

// A clientStream is what a client's bytes mean.
type clientStream struct {
	fed   []byte   // what the child reads
	pings []string // that came before the end
	codes []int    // for one of which the session ends; 1006 when the stream ends first
}

// parseClient reads a client's bytes the simple way. Text that cannot become
// UTF-8 any more may be refused at once or when the message is whole.
func parseClient(p []byte, framing Framing) (c clientStream) {
	var message []byte
	var opcode byte // of the message, 0 between two
	end := func(codes ...int) clientStream {
		if opcode == opText && !beginsUTF8(message) {
			codes = append(codes, 1007)
		}
		c.codes = codes
		return c
	}
	// next cuts n bytes off, or is nil if there are less.
	next := func(n int) []byte {
		if len(p) < n {
			return nil
		}
		head := p[:n:n]
		p = p[n:]
		return head
	}
	for {
		h := next(2)
		if h == nil {
			return end(1006)
		}
		fin, op, masked, size := h[0]&finBit != 0, h[0]&0xf, h[1]&maskBit != 0, uint64(h[1]&0x7f)
		switch size {
		case 126:
			b := next(2)
			if b == nil {
				return end(1006)
			}
			size = uint64(binary.BigEndian.Uint16(b))
		case 127:
			b := next(8)
			if b == nil {
				return end(1006)
			}
			if size = binary.BigEndian.Uint64(b); size >= 1<<63 {
				return end(1002)
			}
		}
		var key []byte
		if masked {
			if key = next(4); key == nil {
				return end(1006)
			}
		}
		if h[0]&0x70 != 0 || !masked || op&7 > 2 || op >= 8 && (size > 125 || !fin) {
			return end(1002)
		}
		if op < 8 && (op == opContinuation) != (opcode != 0) {
			return end(1002)
		}
		n := int(min(size, uint64(len(p))))
		payload := bytes.Clone(next(n))
		for i := range payload {
			payload[i] ^= key[i%4]
		}
		whole := uint64(n) == size
		if op < 8 {
			if opcode == 0 {
				opcode = op
			}
			message = append(message, payload...)
			if len(message) > clientLimit {
				return end(1009)
			}
		}
		switch {
		case !whole:
			return end(1006)
		case op == opPing:
			c.pings = append(c.pings, string(payload))
		case op == opClose:
			switch code := int(binary.BigEndian.Uint16(append(bytes.Clone(payload), 0, 0))); {
			case n == 0:
				return end(1005)
			case n == 1, code < 1000, code > 1014 && code < 3000, code > 4999, code >= 1004 && code <= 1006:
				return end(1002)
			case !utf8.Valid(payload[2:]):
				return end(code, 1007)
			default:
				return end(code)
			}
		case op < 8 && fin:
			if opcode == opText && !utf8.Valid(message) {
				return end(1007)
			}
			c.fed = framing.terminate(append(c.fed, message...))
			message, opcode = nil, 0
		}
	}
}

// beginsUTF8 reports whether p can become UTF-8.
func beginsUTF8(p []byte) bool {
	for len(p) > 0 {
		r, size := utf8.DecodeRune(p)
		if r == utf8.RuneError && size == 1 {
			return !utf8.FullRune(p)
		}
		p = p[size:]
	}
	return true
}

// The scanner of frames stands between two of them where they end, and
// nowhere else.
func FuzzFrameScanner(f *testing.F) {
	f.Add([]byte{}, []byte{})
	f.Add(slices.Concat(text("one"), ping(""), text(strings.Repeat("x", 200)), closing(1000, "")), []byte{0, 1, 2, 255})
	f.Add(appendFrame(appendFrame(nil, opText, make([]byte, 1<<16), false), finBit, []byte("x"), false), []byte{255, 0})
	f.Add([]byte{0x82, 127, 255, 255, 255, 255, 255, 255, 255, 255, 1, 2, 3}, []byte{3})
	f.Add([]byte{0x82, 126, 0, 0, 0x82, 255, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 0x82, 0}, []byte{0})
	f.Fuzz(func(t *testing.T, stream, sizes []byte) {
		edges := map[uint64]bool{}
		for at, left := uint64(0), stream; ; {
			edges[at] = true
			if len(left) < 2 {
				break
			}
			header, size := uint64(2), uint64(left[1]&0x7f)
			switch {
			case size == 126 && len(left) >= 4:
				header, size = 4, uint64(binary.BigEndian.Uint16(left[2:]))
			case size == 127 && len(left) >= 10:
				header, size = 10, binary.BigEndian.Uint64(left[2:])
			case size >= 126:
				header = uint64(len(left))
			}
			if left[1]&maskBit != 0 {
				header += 4
			}
			if header > uint64(len(left)) || size > uint64(len(left))-header {
				break
			}
			at += header + size
			left = left[header+size:]
		}
		var s frameScanner
		piece := inPieces(sizes)
		for at := 0; at < len(stream); {
			n := piece(len(stream) - at)
			s.advance(stream[at : at+n])
			at += n
			if s.between() != edges[uint64(at)] {
				t.Fatalf("at byte %d of %d between() is %t", at, len(stream), s.between())
			}
		}
	})
}

// A oneConn is a listener with one connection.
type oneConn struct {
	conn chan net.Conn
	addr net.Addr
}

func (l oneConn) Accept() (net.Conn, error) {
	if c, ok := <-l.conn; ok {
		return c, nil
	}
	return nil, net.ErrClosed
}
func (l oneConn) Close() error   { return nil }
func (l oneConn) Addr() net.Addr { return l.addr }

// serveBytes has net/http read requests and calls f with each.
func serveBytes(in []byte, f func(*http.Request)) {
	nc := &memConn{in: in, piece: func(left int) int { return left }}
	conns := make(chan net.Conn, 1)
	conns <- nc
	var wg sync.WaitGroup
	wg.Add(1)
	srv := &http.Server{
		Handler:  http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { f(r) }),
		ErrorLog: log.New(io.Discard, "", 0),
		ConnState: func(_ net.Conn, state http.ConnState) {
			if state == http.StateClosed {
				close(conns)
				wg.Done()
			}
		},
	}
	srv.Serve(oneConn{conns, nc.LocalAddr()})
	wg.Wait()
}

// byName is variables for names that may begin with = (on Windows).
func byName(t *testing.T, env []string) map[string]string {
	t.Helper()
	vars := map[string]string{}
	for _, v := range env {
		i := 1 + strings.IndexByte(v[min(1, len(v)):], '=')
		if i == 0 {
			t.Fatalf("%q is no variable", v)
		}
		if old, twice := vars[v[:i]]; twice {
			t.Fatalf("%q is set twice, to %q and %q", v[:i], old, v[i+1:])
		}
		vars[v[:i]] = v[i+1:]
	}
	return vars
}

// Whatever a request says and Env has, the child's environment has each name
// once, nothing that exec could not pass on, what the server knows of the
// request and not what the client says of it, and no HTTP_PROXY of the
// client's.
func FuzzEnviron(f *testing.F) {
	const upgrade = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
	for _, env := range []string{"", "PATH=/bin\nHTTP_X_GIVEN=server\nREMOTE_ADDR=10.0.0.1\nA=1\nA=2\n=C:=C:\\\n=\nNONE"} {
		for _, target := range []string{"/", "/a%20b?x=%20&y", "/%00", "/?%00", "http://localhost/", "//x/../y", "/%0aA=B", "/é?\xff", "*"} {
			f.Add("GET "+target+" HTTP/1.1\r\nHost: localhost:8080\r\n"+upgrade+"\r\n", env)
		}
		for _, lines := range []string{"Proxy: http://evil.example", "X-Given: client", "X_given: client", "Host: localhost", "HOST: [::1]:80", "Remote-Addr: x",
			"Content-Type: x", "Https: on", "Http-Host: x", "X=y: z", "X-A: \xff", "X-A: a\x00b", "X-A: a\r\n b", "X-A: 1\r\nx-a: 2", "Cookie: a=1\r\nCookie: b=2",
			"Content-Length: 0", "Transfer-Encoding: chunked", ": x", "X-A : y", "Path: x", "Query-String: x"} {
			f.Add("GET / HTTP/1.1\r\nHost: localhost:8080\r\n"+upgrade+lines+"\r\n\r\n", env)
		}
	}
	f.Fuzz(func(t *testing.T, request, env string) {
		h := &Handler{Env: strings.Split(env, "\n"), Hosts: []string{"box.example"}}
		serveBytes([]byte(request), func(r *http.Request) {
			if h.check(r) != nil {
				return
			}
			bare := r.Clone(r.Context())
			bare.Header = nil
			own := byName(t, new(Handler).environ(bare, "ID"))
			given := byName(t, h.environ(bare, "ID"))
			got := byName(t, h.environ(r, "ID"))
			for name, value := range got {
				if name == "" || strings.Contains(name+value, "\x00") && !strings.Contains(env, "\x00") {
					t.Errorf("the child gets %q=%q", name, value)
				}
				if _, ok := given[name]; ok {
					continue
				}
				header, ok := strings.CutPrefix(name, "HTTP_")
				if !ok || header == "" || header == "PROXY" || !consistsOf(header, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") {
					t.Errorf("a header became %q=%q", name, value)
				}
			}
			// Whatever the headers, the rest is as without them; whatever
			// Env has, the server's own is as without it.
			for name, value := range given {
				if got[name] != value {
					t.Errorf("%s=%q, without headers %q", name, got[name], value)
				}
			}
			for name, value := range own {
				if given[name] != value {
					t.Errorf("%s=%q, without Env %q", name, given[name], value)
				}
			}
			for _, name := range slices.Sorted(maps.Keys(r.Header)) {
				if variable, ok := headerVariable(name); ok && got[variable] == "" && given[variable] == "" && strings.Join(r.Header[name], "") != "" {
					t.Errorf("%s is lost", name)
				}
			}
		})
	})
}

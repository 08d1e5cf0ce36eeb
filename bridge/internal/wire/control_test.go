package wire

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// A control frame may come in pieces, as late as it likes: it is answered when
// it is whole, also within a message.
func TestControlFrameInPieces(t *testing.T) {
	const late = 20 * time.Second // the library gives up after 5
	for _, test := range []struct {
		name  string
		frame []byte
		reply byte // opcode
		says  string
		end   Ending // none: it goes on
	}{
		{"a ping", ping("hello"), opPong, "hello", Ending{}},
		{"an empty ping", ping(""), opPong, "", Ending{}},
		{"a long ping", ping(strings.Repeat("x", maxControl)), opPong, strings.Repeat("x", maxControl), Ending{}},
		{"a pong", masked(finBit|opPong, "hello"), 0, "", Ending{}},
		{"a close frame", closing(4321, "bye"), opClose, string(closePayload(4321, "bye")), Ending{4321, "bye"}},
		{"one without a code", masked(finBit|opClose, ""), opClose, "", Ending{Code: 1005}},
	} {
		for _, within := range []bool{false, true} {
			for cut := 1; cut < len(test.frame); cut += 1 + len(test.frame)/20 {
				t.Run(fmt.Sprintf("%s, within a message %t, after byte %d", test.name, within, cut), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						c, p := newPeer(t, Options{MaxMessageSize: 1000})
						in := receive(c)
						if within {
							p.write(masked(opText, "be"))
						} else {
							p.write(text("before"))
						}
						p.write(test.frame[:cut])
						time.Sleep(late)
						p.write(test.frame[cut:])
						if test.reply != 0 {
							p.want(finBit|test.reply, test.says)
						}
						end := test.end
						if end == (Ending{}) {
							if within {
								p.write(masked(finBit|opContinuation, "fore"))
							}
							p.write(text("after"))
							p.write(closing(1000, ""))
							p.want(finBit|opClose, string(closePayload(1000, "")))
							end = Ending{Code: 1000}
							in.want(t, "before", "after")
						}
						in.ends(t, end)
						c.Leave()
						if said := c.Close(Ending{1001, "other"}, closeLimit); said != end {
							t.Errorf("closed with %v, want %v", said, end)
						}
					})
				})
			}
		}
	}
}

// A data frame may come in pieces too, and what is pinged behind it waits.
func TestDataFrameInPieces(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, p := newPeer(t, Options{MaxMessageSize: 1 << 20})
		in := receive(c)
		frames := append(text(strings.Repeat("x", 1000)), text(strings.Repeat("y", 1<<17))...)
		frames = append(append(frames, masked(opBinary, strings.Repeat("z", 300))...), masked(finBit, "z")...)
		for len(frames) > 0 {
			n := min(len(frames), 10_000)
			p.write(frames[:n])
			frames = frames[n:]
			time.Sleep(time.Minute)
		}
		p.write(ping("hello"))
		p.want(finBit|opPong, "hello")
		in.want(t, strings.Repeat("x", 1000), strings.Repeat("y", 1<<17), strings.Repeat("z", 301))
		p.Close()
		in.ends(t, Lost)
		c.Leave()
	})
}

// However many pings come while nothing can be written, what waits is
// bounded, every frame is whole, and the latest is answered.
func TestControlFramesThatWait(t *testing.T) {
	for _, network := range []string{"pipe", "tcp"} {
		t.Run(network, func(t *testing.T) {
			theirs, ours := net.Pipe()
			if network == "tcp" {
				theirs, ours = tcpPipe(t)
			}
			defer theirs.Close()
			defer ours.Close()
			c := newConn(Options{}, false)
			c.attach(ours, ours, nil)
			filled := stuff(t, c)
			var last []byte
			for i := range 10_000 {
				last = appendFrame(nil, finBit|opPong, []byte(strings.Repeat("x", 100)+fmt.Sprint(i)), false)
				if err := c.control(last); err != nil {
					t.Fatal(err)
				}
				c.writer.mu.Lock()
				if len(c.writer.queue) > maxQueue+HeaderRoom+maxControl { // with what is left of one under way
					t.Fatalf("%d bytes wait", len(c.writer.queue))
				}
				c.writer.mu.Unlock()
			}
			got := make(chan []byte)
			go func() {
				_, _ = io.CopyN(io.Discard, theirs, filled)
				all, _ := io.ReadAll(theirs)
				got <- all
			}()
			c.writer.awaitWriters()
			ours.Close()
			all := <-got
			if !bytes.HasSuffix(all, last) {
				t.Errorf("the latest is not among %d bytes", len(all))
			}
			for i, f := range framesOf(t, all) {
				if f.first != finBit|opPong || len(f.payload) < 100 {
					t.Fatalf("frame %d begins with %x", i, f.first)
				}
			}
		})
	}
}

// tcpPipe returns the two ends of a connection.
func tcpPipe(t *testing.T) (theirs, ours net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if theirs, err = net.Dial("tcp", l.Addr().String()); err != nil {
		t.Fatal(err)
	}
	if ours, err = l.Accept(); err != nil {
		t.Fatal(err)
	}
	return theirs, ours
}

// stuff writes until the socket takes no more without waiting, and returns how
// much that was.
func stuff(t *testing.T, c *Conn) (stuffed int64) {
	t.Helper()
	for p := make([]byte, 64<<10); ; {
		n, err := c.t.writeSome(p)
		if err != nil {
			t.Fatal(err)
		}
		if stuffed += int64(n); n == 0 {
			return stuffed
		}
	}
}

// While a write waits for a client that does not read, its pings are taken, and
// answered behind the write, also those that come much later.
func TestPingWhileAWriteIsBlocked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, p := newPeer(t, Options{MaxMessageSize: 1000})
		in := receive(c)
		sent := make(chan error)
		go func() { sent <- send(c, "message") }()
		for i := range 10 {
			time.Sleep(10 * time.Second)
			p.write(ping(fmt.Sprint(i)))
		}
		p.want(finBit|opText, "message")
		for i := range 10 {
			p.want(finBit|opPong, fmt.Sprint(i))
		}
		if err := <-sent; err != nil {
			t.Error(err)
		}
		p.Close()
		in.ends(t, Lost)
		c.Leave()
	})
}

// send sends each message in a frame, all of them in one batch.
func send(c *Conn, messages ...string) error {
	b := c.NewBatch()
	b.Begin(GetLarge)
	defer b.End()
	for _, m := range messages {
		b.Append(Text, []byte(m), true)
	}
	return c.Send(b)
}

package wire

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/wsbridge/wsbridge/bridge/internal/wiretest"
)

// onWire is a server's Conn whose peer never speaks, and what it is sent.
func onWire(t *testing.T, o Options) (*Conn, *wiretest.Conn) {
	t.Helper()
	nc := &wiretest.Conn{Piece: wiretest.InPieces(nil)}
	return accepted(t, o, nc, nil), nc
}

// messagesOf puts fragments together, and inflates them.
func messagesOf(t *testing.T, frames []frame) (messages []string) {
	t.Helper()
	var payload []byte
	compressed, open := false, false
	for i, f := range frames {
		if (f.op() == opContinuation) != open || open && f.rsv1() || f.op() > opBinary {
			t.Fatalf("frame %d begins with %#x", i, f.first)
		}
		if !open {
			compressed = f.rsv1()
		}
		payload, open = append(payload, f.payload...), !f.fin()
		if open {
			continue
		}
		m := string(payload)
		if compressed {
			var err error
			if m, err = inflated(payload); err != nil {
				t.Fatal(err)
			}
		}
		messages, payload = append(messages, m), nil
	}
	if open {
		t.Error("a message has no end")
	}
	return messages
}

// Messages leave in the order and in the frames in which they were put into
// batches, a long one over several, and are counted when they have left.
func TestBatch(t *testing.T) {
	long := strings.Repeat("0123456789", 3000)
	for _, compress := range []bool{false, true} {
		t.Run(fmt.Sprintf("compressed %t", compress), func(t *testing.T) {
			c, nc := onWire(t, Options{Compress: compress})
			b := c.NewBatch()
			if b.Compresses() != compress {
				t.Errorf("it compresses: %t", b.Compresses())
			}
			sends := func(messages, bytes int) {
				t.Helper()
				before := len(nc.Sent())
				if err := c.Send(b); err != nil {
					t.Fatal(err)
				}
				if got := c.Sent(); got != (Traffic{int64(messages), int64(bytes)}) {
					t.Errorf("%+v were sent, want %d of %d bytes", got, messages, bytes)
				}
				if given := c.Unread(); given != int64(len(nc.Sent())) {
					t.Errorf("%d bytes are to be read, %d were sent", given, len(nc.Sent()))
				}
				if n := len(nc.Sent()); c.Send(b) != nil || len(nc.Sent()) != n || n < before {
					t.Error("a batch that was sent is sent again")
				}
				b.End()
			}
			sends(0, 0)
			b.Begin(GetLarge)
			b.Append(Text, []byte("one"), true)
			b.Append(Binary, nil, true)
			if b.IsOpen() {
				t.Error("a message is open that is none")
			}
			sends(2, 3)
			b.Begin(GetLarge)
			b.Append(Text, []byte("two"), true)
			b.Append(Text, []byte(long), false)
			if !b.IsOpen() {
				t.Error("the message is not open")
			}
			sends(3, 6+len(long))
			b.Begin(GetLarge)
			b.Append(Text, []byte(long), false)
			b.Append(Text, []byte("the end"), true)
			b.Append(Text, []byte(long), true)
			sends(5, 13+3*len(long))
			if !compress {
				b.Wrap(Binary, append(make([]byte, HeaderRoom), long...))
				sends(6, 13+4*len(long))
			}
			b.Begin(GetLarge)
			b.Append(Text, []byte("last"), true)
			n := 6
			if !compress {
				n = 7
			}
			sends(n, 13+(n-3)*len(long)+4)

			frames := framesOf(t, nc.Sent())
			want := []string{"one", "", "two", long + long + "the end", long}
			if !compress {
				want = append(want, long)
			}
			if got := messagesOf(t, frames); brief(got) != brief(append(want, "last")) || got[3] != want[3] {
				t.Errorf("got %s", brief(got))
			}
			for i, f := range frames {
				if f.masked {
					t.Errorf("frame %d is masked", i)
				}
				if compressed := i == 3 || i == 6; f.rsv1() != (compress && compressed) {
					t.Errorf("frame %d of %d bytes is compressed: %t", i, len(f.payload), f.rsv1())
				}
			}
			if f := frames[1]; f.op() != opBinary {
				t.Errorf("the kind is lost: %#x", f.first)
			}
		})
	}
}

// A client's frames are masked, however they are made.
func TestBatchOfAClient(t *testing.T) {
	nc := &wiretest.Conn{Piece: wiretest.InPieces(nil)}
	c := dialed(t, Options{}, nc)
	b := c.NewBatch()
	b.Begin(GetLarge)
	b.Append(Text, []byte("one"), true)
	if err := c.Send(b); err != nil {
		t.Fatal(err)
	}
	b.End()
	b.Wrap(Text, append(make([]byte, HeaderRoom), "two"...))
	if err := c.Send(b); err != nil {
		t.Fatal(err)
	}
	for i, f := range framesOf(t, nc.Sent()) {
		if !f.masked || string(f.payload) != []string{"one", "two"}[i] {
			t.Errorf("frame %d: %q, masked %t", i, f.payload, f.masked)
		}
	}
}

// What fits makes a batch no larger than its buffer; what does not fit a batch
// that is empty goes there all the same.
func TestBatchFits(t *testing.T) {
	c, _ := onWire(t, Options{})
	b := c.NewBatch()
	if !b.Fits(10 * LargeBuffer) {
		t.Error("nothing fits an empty batch")
	}
	b.Begin(GetLarge)
	p := make([]byte, 1000)
	n := 0
	for ; b.Fits(len(p)); n++ {
		b.Append(Text, p, true)
	}
	if cap(b.frames) != LargeBuffer || n != LargeBuffer/1004 && n != LargeBuffer/1004-1 {
		t.Errorf("%d messages fit, in %d bytes", n, cap(b.frames))
	}
	b.End()
	if b.frames != nil || b.messages != 0 || b.bytes != 0 {
		t.Errorf("of an ended batch %+v is left", b)
	}
	calls := 0
	get := func() []byte { calls++; return GetLarge() }
	b.Begin(get)
	b.Begin(get)
	b.End()
	if calls != 1 {
		t.Errorf("%d buffers were borrowed for one batch", calls)
	}
}

// What Wrap sends is not copied.
func TestWrapCopiesNothing(t *testing.T) {
	c, _ := onWire(t, Options{})
	b := c.NewBatch()
	p := make([]byte, HeaderRoom+100)
	b.Wrap(Text, p)
	if &b.frames[len(b.frames)-1] != &p[len(p)-1] {
		t.Error("the batch is a copy")
	}
	if b.End(); b.frames != nil {
		t.Error("somebody else's buffer is kept")
	}
}

// Messages that the socket did not take are not counted, nor are those behind a
// close frame.
func TestOnlyWhatWasSentIsCounted(t *testing.T) {
	c, nc := onWire(t, Options{})
	if err := send(c, "one"); err != nil {
		t.Fatal(err)
	}
	nc.Close()
	if err := send(c, "two", "three"); !errors.Is(err, net.ErrClosed) {
		t.Error(err)
	}
	if err := send(c, "four"); !errors.Is(err, net.ErrClosed) {
		t.Error(err)
	}
	if got := c.Sent(); got != (Traffic{1, 3}) {
		t.Errorf("%+v were sent", got)
	}

	c, nc = onWire(t, Options{})
	if err := c.control(closeFrame(Ending{1000, ""}, false)); err != nil {
		t.Fatal(err)
	}
	if err := send(c, "one"); err != errCloseSent {
		t.Error(err)
	}
	if got := c.Sent(); got != (Traffic{}) || len(framesOf(t, nc.Sent())) != 1 {
		t.Errorf("%+v were sent behind a close frame", got)
	}
}

// A message that waits for the socket when the client closes leaves before the
// answer, or not at all if it came later.
func TestSendAcrossAClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, p := newPeer(t, Options{MaxMessageSize: 100})
		in := receive(c)
		first, second := make(chan error, 1), make(chan error, 1)
		go func() { first <- send(c, "first") }()
		synctest.Wait()
		p.write(closing(1000, "bye"))
		synctest.Wait()
		go func() { second <- send(c, "second") }()
		synctest.Wait()
		p.want(finBit|opText, "first")
		p.want(finBit|opClose, string(closePayload(1000, "bye")))
		if err := <-first; err != nil {
			t.Error(err)
		}
		if err := <-second; err != errCloseSent {
			t.Error(err)
		}
		in.ends(t, Ending{1000, "bye"})
		if got := c.Sent(); got != (Traffic{1, 5}) {
			t.Errorf("%+v were sent", got)
		}
		p.Close()
		c.Leave()
		c.Close(Ending{}, closeLimit)
	})
}

// What is put into a batch may be overwritten at once, except what is wrapped.
func TestBatchCopies(t *testing.T) {
	for _, compress := range []bool{false, true} {
		c, nc := onWire(t, Options{Compress: compress})
		b := c.NewBatch()
		b.Begin(GetLarge)
		p := bytes.Repeat([]byte("x"), 2*minDeflate)
		b.Append(Text, p, true)
		scratch(p)
		if err := c.Send(b); err != nil {
			t.Fatal(err)
		}
		if got := messagesOf(t, framesOf(t, nc.Sent())); got[0] != strings.Repeat("x", 2*minDeflate) {
			t.Errorf("compressed %t: sent %s", compress, brief(got))
		}
	}
}

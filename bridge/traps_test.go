package bridge

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// What the WebSocket library leaves to its user, and the tests that show that
// the bridge does it:
//
//   - It does not check that text is UTF-8, nor a close reason: TestConformance
//     (family 6, 7.5.1), TestClientOfBadReason; what it sends: TestLines.
//   - Its pong waits for a blocked write and fails the reader after 5 s:
//     TestPingWhileAWriteIsBlocked, TestPingsOfAClientThatDoesNotRead.
//   - It ends the connection as soon as it has answered a close frame:
//     TestCloseInABurst, TestCloseWhileNotReading, TestDataAfterClose.
//   - Its Close lingers, 5 s for each of two reasons: TestHowLongTheEndTakes.
//   - Its Ending sends nothing for a long reason or a code that is none:
//     TestLongReason, TestNoCloseFrame, TestShortened.
//   - It leaves the connection open after a violation, and another read blocks
//     for ever: TestHowLongTheEndTakes, TestBadClients, TestConformance.
//   - It has no close frame for some violations: TestViolationsWithoutAnswer.
//   - A read that is cancelled ends the connection without a close frame:
//     TestEndInTheMiddle, TestEndInTheMiddleOfAFrame, TestShutdown. It does so by
//     itself 5 s into the payload of a control frame: TestPingInPieces.
//   - Its ping has a payload: TestPingTimes. That end of file may come with data
//     is no affair of the library's, but here: TestOutputThenExit.
//   - What conn does before it blocks happens in the middle of a read of the
//     library's: TestFlushInTheMiddleOfAMessage.

// A client answers a close reason that is not UTF-8 as a server does
// (case 7.5.1 of the Autobahn suite), with masked frames.
func TestClientOfBadReason(t *testing.T) {
	url, last := lying(t, closeFrame(Ending{1000, "half a rune: \xe2\x82"}, false))
	stdin, keep := io.Pipe()
	defer keep.Close()
	end, err := (&Client{Stdin: stdin, Stdout: io.Discard}).Run(t.Context(), url)
	if err != nil || end != errReasonNotUTF8 {
		t.Errorf("%v, %v", end, err)
	}
	if got := <-last; got != errReasonNotUTF8 {
		t.Errorf("answered with %v", got)
	}
}

// A client that does not read and pings is neither thrown out nor forgotten,
// however long it takes.
func TestPingWhileAWriteIsBlocked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := runPiped(t, &Handler{Bounds: Bounds{PingInterval: -1}}, flood{}, discard{})
		for i := range 10 {
			time.Sleep(10 * time.Second)
			p.send(ping(fmt.Sprint(i)))
		}
		if hasEnded(p.done) {
			t.Fatalf("ended with %v", p.end)
		}
		for i := 0; i < 10; {
			if f := p.next(); f.op == opPong {
				if string(f.payload) != fmt.Sprint(i) {
					t.Errorf("pong %d has %q", i, f.payload)
				}
				i++
			}
		}
		go p.send(closing(1000, ""))
		all := p.rest()
		if last := all[len(all)-1]; last != closeReply(Ending{Code: 1000}) {
			t.Errorf("the last frame is %v", last)
		}
		<-p.done
	})
}

// What a client sends behind its close frame does not destroy the answer.
func TestDataAfterClose(t *testing.T) {
	srv := serve(t, child(&Handler{}, "echo"))
	more := bytes.Repeat(text(strings.Repeat("x", 1000)), 200)
	for range 10 {
		p := connect(t, srv)
		p.write(append(closing(1000, "that's it"), more...))
		p.wantClose(Ending{1000, "that's it"})
	}
}

// A ping that arrives in pieces while the child does not read ends nothing.
func TestPingInPieces(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source, end := silence(t)
		defer end()
		reads := make(chan struct{}) // the child does
		to := &testSink{slow: func() { <-reads }}
		p := runPiped(t, &Handler{Bounds: Bounds{PingInterval: -1, MaxMessageSize: 100}}, source, to)
		line := strings.Repeat("x", 90)
		p.send(text(line)) // on its way to the child
		synctest.Wait()
		cut := ping("payload")
		p.send(append(text(line), cut[:9]...))
		go p.send(cut[9:])
		synctest.Wait()
		time.Sleep(time.Minute)
		if hasEnded(p.done) {
			t.Fatalf("ended with %v", p.end)
		}
		close(reads)
		if f := p.next(); f.op != opPong || string(f.payload) != "payload" {
			t.Errorf("got %x %q", f.op, f.payload)
		}
		go p.send(closing(1000, ""))
		p.wantRest(Ending{Code: 1000})
		if got := to.has(); got != line+"\n"+line+"\n" {
			t.Errorf("the child got %q", got)
		}
	})
}

// Pings come when they are due and have no payload, which some clients show;
// who answers none of two is dropped.
func TestPingTimes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source, end := silence(t)
		defer end()
		begin := time.Now()
		p := runPiped(t, &Handler{Bounds: Bounds{PingInterval: 10 * time.Second}}, source, discard{})
		for i := range 5 {
			f := p.next()
			if f.op != opPing || len(f.payload) > 0 {
				t.Errorf("got %x %q", f.op, f.payload)
			}
			if got, want := time.Since(begin), time.Duration(i+1)*10*time.Second; got != want {
				t.Errorf("ping %d comes after %v, want %v", i, got, want)
			}
			p.send(masked(finBit|opPong, ""))
		}
		p.rest()
		<-p.done
		if p.end != errPeerDead || p.took != 80*time.Second {
			t.Errorf("ended with %v after %v", p.end, p.took)
		}
	})
}

// Messages that are whole reach the child while the next one is still coming,
// which must not suffer from it, wherever it is cut.
func TestFlushInTheMiddleOfAMessage(t *testing.T) {
	small := strings.Repeat("small ", 100)
	for _, size := range []int{10, 5000, largeBuffer - 3000, largeBuffer - 1, largeBuffer, largeBuffer + 1, 3 * largeBuffer} {
		big := filler(Lines{}, size)
		frame := text(big)
		for _, at := range []int{1, 3, 8, 15, size / 3, size - 1} {
			synctest.Test(t, func(t *testing.T) {
				source, end := silence(t)
				defer end()
				to := &testSink{ready: all}
				p := runPiped(t, &Handler{Bounds: Bounds{PingInterval: -1}}, source, to)
				p.send(bytes.Join([][]byte{text(small), text(small), frame[:at]}, nil))
				synctest.Wait()
				want := small + "\n" + small + "\n"
				if got := to.has(); got != want {
					t.Errorf("%d cut at %d: the child has %d bytes before the rest, want %d", size, at, len(got), len(want))
				}
				for _, piece := range [][]byte{frame[at : at+(len(frame)-at)/2], frame[at+(len(frame)-at)/2:], text(small)} {
					p.send(piece)
					synctest.Wait()
				}
				want += big + "\n" + small + "\n"
				if got := to.has(); got != want {
					t.Errorf("%d cut at %d: what the child has at the end is wrong", size, at)
				}
				go p.send(closing(1000, ""))
				p.wantRest(Ending{Code: 1000})
			})
		}
	}
}

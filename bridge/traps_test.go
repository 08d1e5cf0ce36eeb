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

// The session of a client that does not do its part in the close ends in time.
func TestHowLongTheEndTakes(t *testing.T) {
	unmasked := appendFrame(nil, finBit|opText, nil, false)
	ours := func(p *piped) {
		p.session.end(errInputDone)
		synctest.Wait() // for the close frame to be on its way
	}
	tests := []struct {
		name string
		act  func(p *piped)
		deaf bool // the client does not even read
		want Ending
		took time.Duration // over TLS this, and at least the wait for the close_notify
	}{
		{"a client that closes, and not the connection", func(p *piped) { p.send(closing(1000, "")) }, false, Ending{Code: 1000}, lingerLimit},
		{"and does not read", func(p *piped) { p.send(closing(1000, "")) }, true, Ending{Code: 1000}, closeLimit},
		{"a violation that the library answers", func(p *piped) { p.send(masked(finBit|3, "")) }, false, Ending{1002, "unknown opcode"}, lingerLimit},
		{"a violation that it does not answer", func(p *piped) { p.send(unmasked) }, false, Ending{1002, "frame is not masked"}, lingerLimit},
		{"and nobody reads", func(p *piped) { p.send(unmasked) }, true, untold(Ending{1002, "frame is not masked"}), closeLimit},
		{"text that is not UTF-8", func(p *piped) { p.send(text("\xff")) }, false, errNotUTF8, closeLimit},
		{"no answer to our close", ours, false, errInputDone, closeLimit},
		{"and nobody reads it", ours, true, untold(errInputDone), closeLimit},
		{"but messages and pings", func(p *piped) {
			ours(p)
			for range 100 {
				p.Conn.Write(append(text("more"), ping("more")...))
				time.Sleep(100 * time.Millisecond)
			}
		}, false, errInputDone, closeLimit},
		{"in the middle of a frame", func(p *piped) {
			p.send(text("cut off")[:9])
			ours(p)
		}, false, errInputDone, closeLimit},
		{"an answer", func(p *piped) {
			ours(p)
			p.send(closing(1000, ""))
		}, false, errInputDone, 0},
		{"a drain", func(p *piped) { p.handler.service().drain(errShutdown) }, false, errShutdown, drainLimit},
		{"a drain when nobody reads", func(p *piped) { p.handler.service().drain(errShutdown) }, true, untold(errShutdown), drainLimit},
	}
	certificate, config := testCertificate()
	overTLS := func(t *testing.T, h *Handler, source io.Reader, to sink) *piped {
		client, server := tlsPipe(t, certificate, config)
		return runOver(t, client, server, h, source, to)
	}
	for _, test := range tests {
		check := func(run func(*testing.T, *Handler, io.Reader, sink) *piped, took time.Duration) func(t *testing.T) {
			return inBubble(func(t *testing.T) {
				source, end := silence(t)
				defer end()
				p := run(t, &Handler{Bounds: Bounds{PingInterval: -1}}, source, discard{})
				var got []reply
				read := started(func() {
					if !test.deaf {
						got = p.rest()
					}
				})
				test.act(p)
				<-p.done
				<-read
				if p.end != test.want || p.took != took {
					t.Errorf("ended with %v after %v, want %v after %v", p.end, p.took, test.want, took)
				}
				if !test.deaf && (len(got) != 1 || got[0] != closeReply(test.want)) {
					t.Errorf("the client was told %v", got)
				}
			})
		}
		t.Run(test.name, check(runPiped, test.took))
		t.Run(test.name+", over TLS", check(overTLS, max(test.took, lingerLimit)))
	}
}

func inBubble(f func(t *testing.T)) func(t *testing.T) {
	return func(t *testing.T) { synctest.Test(t, f) }
}

// A reason that a close frame cannot hold is cut; the frame is sent all the same.
func TestLongReason(t *testing.T) {
	for _, unfinished := range []string{"", "a frame that is not whole"} {
		synctest.Test(t, func(t *testing.T) {
			source, end := silence(t)
			defer end()
			p := runPiped(t, &Handler{Bounds: Bounds{PingInterval: -1}}, source, discard{})
			if unfinished != "" {
				p.send(text(unfinished)[:10])
			}
			p.session.end(Ending{1011, strings.Repeat("é", 100)})
			p.wantRest(Ending{1011, strings.Repeat("é", 61)}) // 122 bytes of 123
		})
	}
}

// A code that means that there was no close frame is not sent in one.
func TestNoCloseFrame(t *testing.T) {
	for _, cause := range []Ending{errLost, errPeerDead} {
		for _, unfinished := range []string{"", "a frame that is not whole"} {
			synctest.Test(t, func(t *testing.T) {
				source, end := silence(t)
				defer end()
				p := runPiped(t, &Handler{Bounds: Bounds{PingInterval: -1}}, source, discard{})
				if unfinished != "" {
					p.send(text(unfinished)[:10])
				}
				p.session.end(cause)
				p.wantRest()
				if p.end != cause || p.took != 0 {
					t.Errorf("ended with %v after %v, want %v at once", p.end, p.took, cause)
				}
			})
		}
	}
}

// The library answers none of these with a close frame.
func TestViolationsWithoutAnswer(t *testing.T) {
	unmasked := func(first byte) []byte { return appendFrame(nil, first, []byte("xx"), false) }
	top := []byte{finBit | opText, maskBit | 127, 0x80, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4}
	topOfPing := append([]byte{finBit | opPing}, top[1:]...)
	long := []byte{finBit | opText, maskBit | 126, 0, 2, 0, 0, 0, 0, 'x', 'x'}
	srv := serve(t, child(&Handler{}, "echo"))
	for _, c := range []wireCase{
		{id: "length in more bytes than it needs", frames: one(long)},
		{id: "length in more bytes than it needs, octet by octet", frames: one(long), chop: 1},
		{id: "unmasked text", frames: one(unmasked(finBit | opText))},
		{id: "unmasked continuation", frames: [][]byte{masked(opText, "x"), unmasked(finBit | opContinuation)}},
		{id: "unmasked ping", frames: one(unmasked(finBit | opPing))},
		{id: "unmasked pong", frames: one(unmasked(finBit | opPong))},
		{id: "unmasked close", frames: one(unmasked(finBit | opClose))},
		{id: "unmasked in the middle of a message", frames: [][]byte{masked(opText, "x"), unmasked(finBit | opPing)}},
		{id: "length with its top bit set", frames: one(top)},
		{id: "of a ping", frames: one(topOfPing)},
		{id: "of a continuation", frames: [][]byte{masked(opText, "x"), append([]byte{opContinuation}, top[1:]...)}},
	} {
		t.Run(c.id, func(t *testing.T) {
			c.fails = 1002
			c.run(t, connect(t, srv))
		})
	}
}

// Wherever in the stream the reader is waiting when the server ends a
// session, the client is told.
func TestEndInTheMiddle(t *testing.T) {
	long := text(strings.Repeat("x", 70_000))
	for name, sent := range map[string][]byte{
		"nothing":              nil,
		"a message":            text("x"),
		"one byte":             long[:1],
		"half a length":        long[:6],
		"half a key":           long[:12],
		"no payload":           long[:14],
		"a part of it":         long[:40_000],
		"half a message":       masked(opText, "x"),
		"and half a header":    append(masked(opText, "x"), masked(finBit|opContinuation, "x")[:3]...),
		"half a ping's header": ping("payload")[:4],
		"half a ping":          ping("payload")[:9],
		"in half a message":    append(masked(opText, "x"), ping("payload")[:9]...),
		"half a close frame":   closing(1000, "payload")[:9],
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				source, end := silence(t)
				defer end()
				p := runPiped(t, &Handler{Bounds: Bounds{PingInterval: -1}}, source, discard{})
				p.send(sent)
				synctest.Wait()
				p.handler.service().drain(errShutdown)
				p.wantRest(errShutdown)
			})
		})
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

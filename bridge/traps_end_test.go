package bridge

import (
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// The session of a client that does not do its part in the close ends in time.
func TestHowLongTheEndTakes(t *testing.T) {
	unmasked := appendFrame(nil, finBit|opText, nil, false)
	normal := Ending{Code: 1000}
	ours := func(p *piped) {
		p.session.end(normal)
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
		{"no answer to our close", ours, false, normal, closeLimit},
		{"and nobody reads it", ours, true, untold(normal), closeLimit},
		{"but messages and pings", func(p *piped) {
			ours(p)
			for range 100 {
				p.Conn.Write(append(text("more"), ping("more")...))
				time.Sleep(100 * time.Millisecond)
			}
		}, false, normal, closeLimit},
		{"in the middle of a frame", func(p *piped) {
			p.send(text("cut off")[:9])
			ours(p)
		}, false, normal, closeLimit},
		{"an answer", func(p *piped) {
			ours(p)
			p.send(closing(1000, ""))
		}, false, normal, 0},
		{"a drain", func(p *piped) { p.handler.service().drain(errShutdown) }, false, errShutdown, drainLimit},
		{"a drain after our close", func(p *piped) {
			ours(p)
			time.Sleep(500 * time.Millisecond)
			p.handler.service().drain(errShutdown)
		}, false, normal, 500*time.Millisecond + drainLimit},
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

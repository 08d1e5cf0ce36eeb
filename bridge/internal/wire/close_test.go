package wire

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// What the peer is told is what Close returns, whoever begins.
func TestClose(t *testing.T) {
	long := Ending{4001, strings.Repeat("x", 200)}
	for _, test := range []struct {
		name   string
		end    Ending
		told   Ending // none: there is no close frame
		closed Ending
	}{
		{"a code", Ending{1000, ""}, Ending{1000, ""}, Ending{1000, ""}},
		{"and a reason", Ending{4003, "exit status 3"}, Ending{4003, "exit status 3"}, Ending{4003, "exit status 3"}},
		{"a long reason", long, Ending{4001, long.Reason[:123]}, Ending{4001, long.Reason[:123]}},
		{"no code", Ending{Code: 1005}, Ending{Code: 1005}, Ending{Code: 1005}},
		{"no close frame", Lost, Ending{}, Lost},
		{"no close frame, for a cause", PeerDead, Ending{}, PeerDead},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, p := newPeer(t, Options{MaxMessageSize: 100})
				in := receive(c)
				synctest.Wait()
				c.Stop()
				in.ends(t, ErrStopped)
				c.Leave() // which has nothing to do
				closed := make(chan Ending)
				go func() { closed <- c.Close(test.end, closeLimit) }()
				if test.told != (Ending{}) {
					f := p.next()
					if f.first != finBit|opClose || f.ending() != test.told {
						t.Errorf("told %#x %v", f.first, f.ending())
					}
					p.write(masked(finBit|opClose, string(f.payload)))
				}
				if f, err := readFrame(p.r); err == nil {
					t.Errorf("then a frame %#x came", f.first)
				}
				if got := <-closed; got != test.closed {
					t.Errorf("closed with %v, want %v", got, test.closed)
				}
				if err := send(c, "x"); err == nil {
					t.Error("sent behind the end")
				}
			})
		})
	}
}

// The peer's close frame is answered with its own code, or with the verdict
// that there is.
func TestAnswer(t *testing.T) {
	verdict := Ending{1012, "the command has changed"}
	for _, answer := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			c, p := newPeer(t, Options{MaxMessageSize: 100})
			in := receive(c)
			want := Ending{1000, "bye"}
			if answer {
				c.Answer(verdict)
				want = verdict
			}
			p.write(text("dropped, perhaps"))
			p.write(closing(1000, "bye"))
			if f := p.next(); f.ending() != want {
				t.Errorf("answered with %v, want %v", f.ending(), want)
			}
			in.ends(t, Ending{1000, "bye"})
			c.Leave()
			if got := c.Close(verdict, closeLimit); got != want {
				t.Errorf("closed with %v, want %v", got, want)
			}
		})
	}
}

// A verdict holds for an answer that Close itself gives: both ends close at
// once.
func TestBothClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, p := newPeer(t, Options{MaxMessageSize: 100})
		in := receive(c)
		synctest.Wait()
		c.Stop()
		<-in.done
		closed := make(chan Ending)
		go func() { closed <- c.Close(Ending{4003, "ours"}, closeLimit) }()
		p.write(closing(1000, "theirs"))
		if f := p.next(); f.ending() != (Ending{4003, "ours"}) {
			t.Errorf("told %v", f.ending())
		}
		if got := <-closed; got != (Ending{4003, "ours"}) {
			t.Errorf("closed with %v", got)
		}
	})
}

// When nothing can be said any more, that is what Close returns.
func TestNothingCanBeSaid(t *testing.T) {
	for name, lose := range map[string]func(c *Conn, p *peer){
		"the peer is gone":       func(c *Conn, p *peer) { p.Close() },
		"it was cut":             func(c *Conn, p *peer) { c.Cut() },
		"the peer takes no more": func(c *Conn, p *peer) {},
	} {
		for _, answer := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, with a verdict %t", name, answer), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					c, p := newPeer(t, Options{MaxMessageSize: 100})
					in := receive(c)
					synctest.Wait()
					if answer {
						c.Answer(Ending{1001, "server shutting down"})
					}
					want := Ending{1006, "connection lost before 1001 server shutting down"}
					began := time.Now()
					lose(c, p)
					synctest.Wait()
					c.Stop()
					<-in.done
					c.Leave()
					if got := c.Close(Ending{1001, "server shutting down"}, 2*time.Second); got != want {
						t.Errorf("closed with %v, want %v", got, want)
					}
					if took := time.Since(began); took > 2*time.Second {
						t.Errorf("it took %v", took)
					}
				})
			})
		}
	}
}

// A peer that answers nothing has as long as it is given.
func TestCloseLimit(t *testing.T) {
	for _, begun := range []string{
		"", "\x81\xfe\x00", "\x81\xfe\x01\x00....xxx", "\x01\xfe\x01\x00....xxx",
		string(masked(opText, "x")), "\x88\x82....",
	} {
		synctest.Test(t, func(t *testing.T) {
			c, p := newPeer(t, Options{MaxMessageSize: 1000})
			in := receive(c)
			if begun != "" {
				p.write([]byte(begun))
			}
			synctest.Wait()
			c.Stop()
			in.ends(t, ErrStopped)
			began := time.Now()
			closed := make(chan Ending)
			go func() { closed <- c.Close(Ending{1001, "idle"}, 2*time.Second) }()
			if f := p.next(); f.ending() != (Ending{1001, "idle"}) {
				t.Errorf("after %q: told %v", begun, f.ending())
			}
			if got := <-closed; got != (Ending{1001, "idle"}) {
				t.Errorf("after %q: closed with %v", begun, got)
			}
			if took := time.Since(began); took > 2*time.Second {
				t.Errorf("after %q: it took %v", begun, took)
			}
		})
	}
}

// What the peer still sends before its answer is read and dropped, whatever it
// is.
func TestDataBeforeTheAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, p := newPeer(t, Options{MaxMessageSize: 1000, Compress: true})
		in := receive(c)
		p.write(masked(opText, "half a mess"))
		synctest.Wait()
		c.Stop()
		in.ends(t, ErrStopped)
		closed := make(chan Ending)
		go func() { closed <- c.Close(Ending{1001, ""}, closeLimit) }()
		if f := p.next(); f.ending() != (Ending{1001, ""}) {
			t.Errorf("told %v", f.ending())
		}
		late := bytes.Join([][]byte{masked(finBit|opContinuation, "age"), text(strings.Repeat("x", 70_000)),
			masked(rsv1Bit|finBit|opText, string(deflated("late"))), ping("late"), text("\xff"), closing(1001, "")}, nil)
		for len(late) > 0 {
			n := min(len(late), 9999)
			p.write(late[:n])
			late = late[n:]
		}
		if got := <-closed; got != (Ending{1001, ""}) {
			t.Errorf("closed with %v", got)
		}
		in.want(t)
	})
}

// When a write has failed, the cause that Receive finds counts: the close frame
// which the peer had sent before it left.
func TestWriteFailsBeforeTheCloseFrameIsRead(t *testing.T) {
	c, nc := onWire(t, Options{MaxMessageSize: 100})
	nc.In = append(text("x"), closing(4321, "bye")...)
	c.writer.mu.Lock()
	c.failWrite(http.ErrServerClosed)
	c.writer.mu.Unlock()
	var inbox collector
	if err := receiveAll(c, &inbox); err != (Ending{4321, "bye"}) {
		t.Errorf("ended with %v", err)
	}
	inbox.want(t, "x")
	if !c.IsGone() {
		t.Error("a connection that cannot be written is there")
	}
}

// A handshake that is refused is an error that names the status, and what the
// server says is quoted.
func TestDialIsRefused(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Error(w, "no\x1b[31m", http.StatusForbidden)
	}))
	defer srv.Close()
	_, err := Dial(context.Background(), srv.URL, nil, nil, Options{})
	if err == nil || !strings.Contains(err.Error(), `403 Forbidden: "no\x1b[31m"`) {
		t.Errorf("got %v", err)
	}
}

// Whoever answers the close frame has read all that was before, but not who was
// about to leave, or closes without it.
func TestAnswered(t *testing.T) {
	for _, test := range []struct {
		answer   Ending
		answered bool
	}{
		{Ending{4003, "exit status 3"}, true},
		{Ending{1000, ""}, true},
		{Ending{1001, ""}, false},
		{Ending{}, false},
	} {
		synctest.Test(t, func(t *testing.T) {
			c, p := newPeer(t, Options{MaxMessageSize: 100})
			in := receive(c)
			synctest.Wait()
			c.Stop()
			in.ends(t, ErrStopped)
			closed := make(chan Ending)
			go func() { closed <- c.Close(Ending{4003, "exit status 3"}, closeLimit) }()
			p.next()
			if test.answer != (Ending{}) {
				p.write(closing(test.answer.Code, test.answer.Reason))
			}
			<-closed
			if _, first := c.PeerClosed(); first || c.Answered() != test.answered {
				t.Errorf("%v: answered %t, first %t", test.answer, c.Answered(), first)
			}
		})
	}
}

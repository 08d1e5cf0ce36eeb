package wire

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
)

func TestLog(t *testing.T) {
	l := NewLog(1<<20, UntilAcknowledged, nil)
	early := newCursor(t, l, CursorOptions{From: 1})
	sendText(t, l, "one", "two")
	sendText(t, l, "three")
	wantNext(t, early, "one", "two", "three")
	sendText(t, l, "four")
	wantNext(t, early, "four")
	for from := int64(1); from <= 5; from++ {
		c := newCursor(t, l, CursorOptions{From: from})
		sendText(t, l, "more")
		l.Acknowledge(0)
		want := append([]string{"one", "two", "three", "four"}[from-1:], strings.Fields(strings.Repeat("more ", int(from)))...)
		wantNext(t, c, want...)
		c.Close()
	}
	l.Acknowledge(3)
	if first, next := l.Kept(); first != 1 || next != 10 || l.Acknowledged() != 3 {
		t.Errorf("kept %d to %d, acknowledged %d: a block goes as a whole", first, next, l.Acknowledged())
	}
	l.Acknowledge(100)
	if first, next := l.Kept(); first != 10 || next != 10 || l.Acknowledged() != 9 || l.plain.size != 0 {
		t.Errorf("kept %d to %d, acknowledged %d", first, next, l.Acknowledged())
	}
	wantNext(t, early, "more", "more", "more", "more", "more") // they are its own until it has sent them
	sendText(t, l, "last")
	wantNext(t, early, "last")
	l.End()
	if _, err := readNext(t, early); err != io.EOF {
		t.Error(err)
	}
}

// Send waits while nothing may be dropped, and says so.
func TestLogWaits(t *testing.T) {
	for _, test := range []struct {
		retention Retention
		free      func(l *Log, fast, slow *Cursor)
	}{
		{UntilAcknowledged, func(l *Log, _, _ *Cursor) { l.Acknowledge(1) }},
		{UntilFirst, func(_ *Log, fast, _ *Cursor) { fast.WantsAcknowledgement() }},
		{UntilAll, func(_ *Log, _, slow *Cursor) { slow.WantsAcknowledgement() }},
		{UntilAll, func(_ *Log, _, slow *Cursor) { slow.Close() }},
		{UntilFirst, func(_ *Log, fast, slow *Cursor) { fast.Close(); slow.Close() }},
	} {
		synctest.Test(t, func(t *testing.T) {
			full := 0
			l := NewLog(100, test.retention, func() { full++ })
			fast, slow := newCursor(t, l, CursorOptions{From: 1}), newCursor(t, l, CursorOptions{From: 1})
			sendText(t, l, strings.Repeat("x", 90))
			sent := make(chan struct{})
			go func() {
				defer close(sent)
				sendText(t, l, strings.Repeat("y", 90))
			}()
			synctest.Wait()
			wantNext(t, fast, strings.Repeat("x", 90))
			if test.retention == UntilAll {
				fast.WantsAcknowledgement()
				wantNext(t, slow, strings.Repeat("x", 90))
			}
			synctest.Wait()
			select {
			case <-sent:
				t.Fatalf("%d: Send does not wait", test.retention)
			default:
			}
			test.free(l, fast, slow)
			<-sent
			if full != 1 {
				t.Errorf("%d: was said to be full %d times", test.retention, full)
			}
			l.Cut()
			if err := l.Send(new(Batch)); err != errCut {
				t.Error("after Cut:", err)
			}
		})
	}
}

// A message over the limit is there alone, and whole.
func TestLogLargeMessage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := NewLog(1000, UntilAcknowledged, nil)
		sendText(t, l, "small")
		sent := make(chan struct{})
		go func() {
			defer close(sent)
			b := new(Batch)
			for i := range 10 {
				b.Append(Text, bytes.Repeat([]byte{byte('0' + i)}, 500), i == 9)
				if err := l.Send(b); err != nil {
					t.Error(err)
				}
			}
			sendText(t, l, "small again")
		}()
		synctest.Wait()
		if first, next := l.Kept(); first != 1 || next != 2 {
			t.Errorf("kept %d to %d: it does not wait", first, next)
		}
		l.Acknowledge(1)
		synctest.Wait()
		if first, next := l.Kept(); first != 2 || next != 3 || l.plain.size < 5000 {
			t.Errorf("kept %d to %d, %d bytes: it is not there", first, next, l.plain.size)
		}
		for range 2 {
			c := newCursor(t, l, CursorOptions{From: 2})
			got, err := readNext(t, c)
			if err != nil || len(got) != 1 || len(got[0]) != 5000 {
				t.Errorf("got %d messages, %v", len(got), err)
			}
			c.Close()
		}
		l.Acknowledge(2)
		<-sent
		wantNext(t, newCursor(t, l, CursorOptions{From: 3}), "small again")
	})
}

// A cursor that is too slow is told, or goes on with the newest message.
func TestLogTooSlow(t *testing.T) {
	for _, skip := range []bool{false, true} {
		l := NewLog(1000, UntilFirst, nil)
		fast := newCursor(t, l, CursorOptions{From: 1})
		fallen := 0
		slow := newCursor(t, l, CursorOptions{From: 1, Skip: skip, Fallen: func() { fallen++ }})
		var newest string
		for i := range 100 {
			newest = strconv.Itoa(i) + strings.Repeat("x", smallBlock)
			sendText(t, l, newest)
			if i == 0 {
				wantNext(t, slow, newest) // and it goes on sending that
			}
			wantNext(t, fast, newest)
			fast.WantsAcknowledgement() // it has been sent
		}
		if fallen != 1 {
			t.Errorf("skip %t: was told %d times", skip, fallen)
		}
		if !skip {
			if _, err := readNext(t, slow); err != ErrNotKept {
				t.Error(err)
			}
			continue
		}
		wantNext(t, slow, newest)
		sendText(t, l, "next")
		wantNext(t, slow, "next")
	}
}

// The newest message may be one that is not whole yet, and the only one that is kept.
func TestLogSkipsIntoAMessage(t *testing.T) {
	l := NewLog(1000, UntilFirst, nil)
	fast := newCursor(t, l, CursorOptions{From: 1})
	slow := newCursor(t, l, CursorOptions{From: 1, Skip: true})
	sendText(t, l, strings.Repeat("x", smallBlock))
	wantNext(t, fast, strings.Repeat("x", smallBlock))
	fast.WantsAcknowledgement() // it has been sent
	b := new(Batch)
	b.Append(Text, make([]byte, 1000), false)
	if err := l.Send(b); err != nil {
		t.Fatal(err)
	}
	wantNext(t, slow) // the beginning of the second, and no whole message
	if n := slow.Number(); n != 1 {
		t.Errorf("it has sent message %d", n)
	}
}

// Many cursors that come and go at any time each get every message once and in
// order, compressed or not, and nothing is left of the buffers.
func TestLogModel(t *testing.T) {
	const messages = 1000
	for _, retention := range []Retention{UntilAcknowledged, UntilAll} {
		l := NewLog(64<<10, retention, nil)
		text := func(n int64) string { return fmt.Sprint(n, strings.Repeat("-", int(n*7919%3000))) }
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		read := func(seed uint64, compress, stays bool) {
			r := rand.New(rand.NewPCG(seed, 1))
			for {
				c, err := l.NewCursor(CursorOptions{Newest: r.Int64N(100), Compress: compress})
				if err != nil {
					t.Error(err)
					return
				}
				from := c.Number() + 1
				var m heardMessages
				b := new(Batch)
				for turns := r.IntN(50); turns > 0 || stays; turns-- {
					if err := c.Next(ctx, b); errors.Is(err, io.EOF) {
						c.Close()
						return
					} else if errors.Is(err, ErrNotKept) && retention == UntilAcknowledged && !stays {
						break // it has arrived elsewhere
					} else if err != nil {
						t.Error(err)
						return
					}
					m.read(t, b.frames)
					b.reset()
					if stays && retention == UntilAcknowledged {
						l.Acknowledge(c.Number())
					}
				}
				for i, got := range m.all {
					if want := text(c.Number() - int64(len(m.all)-1-i)); got != want {
						t.Errorf("message %d of those from %d is %.10q, want %.10q", i, from, got, want)
					}
				}
				c.Close()
			}
		}
		stays := make(chan struct{})
		wg.Go(func() { close(stays); read(0, false, true) })
		<-stays
		for i := range 4 {
			wg.Go(func() { read(uint64(i+1), i%2 == 1, false) })
		}
		r := rand.New(rand.NewPCG(9, 9))
		b := new(Batch)
		for n := int64(1); n <= messages; {
			for range r.IntN(10) {
				if n > messages {
					break
				}
				m := []byte(text(n))
				for at := len(m) / 2; r.IntN(5) == 0 && at > 1; at = len(m) / 2 { // in fragments
					b.Append(Text, m[:at], false)
					m = m[at:]
					if r.IntN(2) == 0 {
						if err := l.Send(b); err != nil {
							t.Fatal(err)
						}
					}
				}
				b.Append(Text, m, true)
				n++
			}
			if err := l.Send(b); err != nil {
				t.Fatal(err)
			}
		}
		l.End()
		wg.Wait()
		cancel()
		if len(l.cursors) != 0 || len(l.parked) != 0 {
			t.Errorf("%d cursors, %d parked", len(l.cursors), len(l.parked))
		}
		for _, b := range l.plain.blocks {
			if b.held != 0 || b.awaited != 0 {
				t.Errorf("a block is held %d times and awaited %d times", b.held, b.awaited)
			}
		}
	}
}

package bridge

import (
	"strconv"
	"strings"
	"testing"
	"time"
)

// A pong says that what came before its ping has been given to the program, and so
// will the next greeting.
func TestResumePongs(t *testing.T) {
	h := resumable("deaf")
	h.Bounds.MaxMessageSize = 1000
	events := record(t, h)
	srv := serve(t, h)
	c := resume(t, srv, keyed(testKey), true)
	c.wantMessages("ready")
	pongs := make(chan int64, 10_000)
	go func() {
		defer close(pongs)
		for {
			f, err := c.frame()
			if err != nil {
				return
			}
			if n, err := strconv.ParseInt(string(f.payload), 10, 64); f.op == opPong && err == nil {
				pongs <- n
			}
		}
	}()
	const messages = 1000 // are more than a pipe and the backlog hold
	frames := []byte{}
	for i := range messages {
		frames = append(frames, text(strings.Repeat("x", 999))...)
		frames = append(frames, ping(strconv.Itoa(i+1))...)
	}
	done := started(func() { _, _ = c.Write(frames) })
	last := int64(0)
	for quiet := false; !quiet; {
		select {
		case last = <-pongs:
		case <-time.After(200 * time.Millisecond): // a program that is slow to start makes no difference
			quiet = true
		}
	}
	c.SetLinger(0)
	c.Close()
	<-done
	events.wait(aDetachment)
	for n := range pongs {
		last = n
	}
	c = resume(t, srv, keyed(testKey), true)
	if has := c.greeting.Received; has < last || has >= messages {
		t.Errorf("%d messages were acknowledged, %d had arrived", last, has)
	}
}

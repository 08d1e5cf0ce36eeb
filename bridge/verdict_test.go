package bridge

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"testing"
)

func init() {
	// stubborn says when its input has ended, and ignores polite signals.
	children["stubborn"] = func([]string) {
		signal.Ignore(syscall.SIGINT, syscall.SIGTERM)
		fmt.Println("ready")
		io.Copy(io.Discard, os.Stdin)
		fmt.Println("input ended")
		select {}
	}
	// afterwards N prints N lines when its input has ended, and tells of it.
	children["afterwards"] = func(args []string) {
		fmt.Println("ready")
		io.Copy(io.Discard, os.Stdin)
		out := bufio.NewWriter(os.Stdout)
		for range number(args[0]) {
			out.WriteString("too late\n")
		}
		out.Flush()
	}
}

// When the server has decided to end a session, a client that closes now is
// told why: its messages may have been dropped, and its own 1000 would say that
// all was well.
func TestVerdictStands(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		decide func(h *Handler) (wait func())
		own    []byte // the client's close frame
		want   Ending
	}{
		{"restart", restarts, closing(1000, ""), restarted},
		{"restart, a reload", restarts, closing(1001, "reload"), restarted},
		{"restart, no code", restarts, masked(finBit|opClose, ""), restarted},
		{"shutdown", shutsDown(t), closing(1000, "bye"), errShutdown},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			h := child(pinging(-1), "stubborn")
			ended := reports(h)
			p := connect(t, serve(t, h))
			p.message()
			wait := test.decide(h)
			if got := p.message(); got != "input ended" {
				t.Fatalf("got %q", got)
			}
			p.write(test.own)
			p.wantClose(test.want)
			wait()
			if end := soon(t, ended); end.code != test.want.Code || end.reason != test.want.Reason {
				t.Errorf("the report says %d %s, want %v", end.code, end.reason, test.want)
			}
		})
	}
}

func restarts(h *Handler) (wait func()) {
	h.Restart(restarted.Reason, nil)
	return func() {}
}

func shutsDown(t *testing.T) func(h *Handler) (wait func()) {
	return func(h *Handler) (wait func()) {
		done := started(func() { h.Shutdown(t.Context()) })
		return func() { <-done }
	}
}

// A client that closes first has the word.
func TestFirstCloseStands(t *testing.T) {
	t.Parallel()
	h := child(pinging(-1), "stubborn")
	ended := reports(h)
	p := connect(t, serve(t, h))
	p.message()
	p.write(closing(4321, "enough"))
	p.wantClose(Ending{4321, "enough"})
	h.Restart(restarted.Reason, nil)
	if end := soon(t, ended); end.code != 4321 {
		t.Errorf("the report says %d %s", end.code, end.reason)
	}
}

// What a client's close threw away was not sent, and does not count as that.
func TestCountsWhatWasSent(t *testing.T) {
	t.Parallel()
	for _, command := range [][]string{{"afterwards", "1000"}, {"flood"}} {
		for range 3 {
			h := child(pinging(-1), command[0], command[1:]...)
			ended := reports(h)
			p := connect(t, serve(t, h))
			messages, bytes := int64(1), int64(len(p.message()))
			p.write(closing(1000, ""))
			got, _ := p.closed()
			for _, m := range got {
				messages, bytes = messages+1, bytes+int64(len(m))
			}
			if end := soon(t, ended); end.messagesOut != messages || end.bytesOut != bytes {
				t.Errorf("%v: reported %d messages of %d bytes, the client got %d of %d",
					command, end.messagesOut, end.bytesOut, messages, bytes)
			}
		}
	}
}

package bridge

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wsbridge/wsbridge/bridge/internal/wiretest"
)

// switching is a server's answer to a handshake, without the line that ends it.
const switching = "HTTP/1.1 101 Switching Protocols\r\n" +
	"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n"

// late is how long a control frame is under way in these tests: longer than
// the 5 s that libraries give one.
const late = 6 * time.Second

// A control frame is answered when it is whole, however long that takes.
func TestLateControlFrame(t *testing.T) {
	for _, test := range []struct {
		name  string
		frame []byte
		cut   int // it stops here for a while
		want  reply
		end   int
	}{
		{"a ping after its header", ping("late"), 6, reply{opPong, "late"}, 1006},
		{"a ping in its header", ping("late"), 1, reply{opPong, "late"}, 1006},
		{"a ping in its payload", ping("late"), 8, reply{opPong, "late"}, 1006},
		{"a pong after its header", ponging([]byte("late")), 6, reply{}, 1006},
		{"a close after its header", closing(1000, "late"), 6, closeReply(Ending{1000, "late"}), 1000},
		{"a close in its reason", closing(4000, "late"), 10, closeReply(Ending{4000, "late"}), 4000},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				source, child := io.Pipe()
				defer child.Close()
				p := runPiped(t, &Handler{Bounds: Bounds{PingInterval: -1}}, source, discard{})
				says := func(line string) { // the program
					io.WriteString(child, line+"\n")
					if got := p.message(); got != line {
						t.Errorf("got %q", got)
					}
				}
				p.send(test.frame[:test.cut])
				says("before")
				time.Sleep(late)
				says("meanwhile")
				sent := started(func() { p.send(test.frame[test.cut:]) })
				if test.want != (reply{}) {
					if f := p.next(); (reply{f.op, string(f.payload)}) != test.want {
						t.Errorf("answered with opcode %x %q, want %v", f.op, f.payload, test.want)
					}
				}
				if test.want.op != opClose {
					says("after")
					<-sent // nothing tells that a pong has been read
					p.Conn.Close()
				} else {
					p.rest()
				}
				<-p.done
				if p.end.Code != test.end {
					t.Errorf("ended with %v", p.end)
				}
			})
		})
	}
}

// A client does the same for its server.
func TestLateControlFrameFromTheServer(t *testing.T) {
	usual := http.DefaultTransport
	defer func() { http.DefaultTransport = usual }()
	closes := closeReply(Ending{4000, "late"})
	synctest.Test(t, func(t *testing.T) {
		ours, theirs := net.Pipe()
		http.DefaultTransport = &http.Transport{
			DialContext: func(context.Context, string, string) (net.Conn, error) { return theirs, nil },
		}
		var answered []reply
		server := started(func() {
			defer ours.Close()
			br := bufio.NewReader(ours)
			r, err := http.ReadRequest(br)
			if err != nil {
				t.Error(err)
				return
			}
			fmt.Fprintf(ours, switching+"\r\n", wiretest.AcceptKey(r.Header.Get("Sec-WebSocket-Key")))
			for _, control := range []reply{{opPing, "late"}, closes} {
				frame := appendFrame(nil, finBit|control.op, []byte(control.payload), false)
				ours.Write(frame[:2])
				time.Sleep(late)
				ours.Write(frame[2:])
				header := make([]byte, 6) // with the key of the mask
				if _, err := io.ReadFull(br, header); err != nil {
					t.Errorf("no answer: %v", err)
					return
				}
				rest := make([]byte, header[1]&^maskBit)
				io.ReadFull(br, rest)
				_, payload, _, _ := parseFrame(t, append(header, rest...))
				answered = append(answered, reply{header[0] & 0xf, string(payload)})
			}
		})
		stdin, keep := io.Pipe()
		defer keep.Close()
		end, err := (&Client{Stdin: stdin, Stdout: io.Discard, PingInterval: -1}).Run(t.Context(), "ws://localhost/")
		if err != nil || end != (Ending{4000, "late"}) {
			t.Errorf("ended with %v, %v", end, err)
		}
		<-server
		if want := []reply{{opPong, "late"}, closes}; !slices.Equal(answered, want) {
			t.Errorf("answered with %v, want %v", answered, want)
		}
	})
}

package bridge

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync/atomic"
	"time"
)

// clientFaults are what clients do to the server.
var clientFaults = []fault{
	{
		name: "closes in the middle of a frame",
		inject: func(s *scene) {
			p := s.open("echo")
			p.write(appendFrame(nil, opText, []byte("begun"), true))
			p.write(appendFrame(nil, opContinuation, make([]byte, 1000), true)[:500])
			p.Close()
		},
		ends: closedWith(1006),
	}, {
		name: "closes in the middle of a message",
		inject: func(s *scene) {
			p := s.open("echo")
			p.write(appendFrame(nil, opText, []byte("begun"), true))
			p.write(closing(1001, ""))
			p.wantClose(Ending{1001, ""})
		},
		ends: closedWith(1001),
	}, {
		name: "resets",
		inject: func(s *scene) {
			p := s.open("flood")
			p.message()
			p.SetLinger(0)
			p.Close()
		},
		ends: closedWith(1006),
	}, {
		name: "half-closes and is silent",
		tls:  true,
		inject: func(s *scene) {
			p := s.open("echo")
			p.write(text("x"))
			p.message()
			p.CloseWrite()
			if _, err := io.ReadAll(p.r); err != nil {
				s.Error(err)
			}
		},
		ends: closedWith(1006),
	}, {
		name:  "vanishes",
		slow:  true,
		setup: pingsOften,
		inject: func(s *scene) {
			addr, vanish := s.tunnel(swallowing)
			p := s.openAt(addr, "echo")
			p.write(text("x"))
			p.message()
			vanish()
			s.log.wait(an[Closed]())
		},
		ends: closedBecause(Ending{1006, "no answer to pings"}),
	}, {
		name:  "vanishes while the child prints",
		tls:   true,
		slow:  true,
		setup: pingsOften,
		inject: func(s *scene) {
			addr, vanish := s.tunnel(stalling)
			s.openAt(addr, "flood").message()
			vanish()
			s.log.wait(an[Closed]())
		},
		ends: closedBecause(Ending{1006, "no answer to pings"}),
	}, {
		name:  "never reads",
		slow:  true,
		setup: pingsOften,
		inject: func(s *scene) {
			s.open("flood")
			s.bounded(func() { s.log.wait(an[Closed]()) })
		},
		ends: closedBecause(Ending{1006, "no answer to pings"}),
	}, {
		name:  "never reads, without pings",
		tls:   true,
		setup: func(s *scene) { s.h.Bounds.PingInterval = -1 },
		inject: func(s *scene) {
			p := s.open("flood")
			s.bounded(s.log.blocked)
			p.Close() // with much unread: a reset
		},
		ends: closedWith(1006),
	}, {
		name: "reads byte by byte",
		tls:  true,
		inject: func(s *scene) {
			p := s.open("lines&20000&500")
			p.write(text("go"))
			p.r.Reset(&slowly{p, 1000})
			got, end := p.closed()
			if len(got) != 20_000 || end.Code != 4005 {
				s.Errorf("%d messages, %v", len(got), end)
			}
		},
		ends: closedWith(4005),
	}, {
		name:  "sends a lot to a child that does not read",
		setup: pingsOften, // the next one tells of the reset, while the socket is not read
		inject: func(s *scene) {
			p := s.open("deaf")
			p.message()
			var sent atomic.Int64
			done := make(chan error)
			s.bounded(func() {
				go func() { done <- p.sendLots(&sent) }()
				s.stalled(&sent)
			})
			p.SetLinger(0)
			p.Close()
			if err := <-done; err == errPassed {
				s.Error(err)
			}
		},
		ends: closedWith(1006),
	}, {
		name: "sends a lot to a child without input",
		inject: func(s *scene) {
			p := s.open("nostdin")
			p.message()
			var sent atomic.Int64
			s.bounded(func() {
				if err := p.sendLots(&sent); err != errPassed {
					s.Error(err)
				}
			})
			p.write(closing(1000, ""))
			p.wantClose(Ending{1000, ""})
		},
		ends: an(func(e Closed) bool { return e.In.Messages == int64((lots+(64<<10)+13)/((64<<10)+14)) }),
	}, {
		name:   "opens and closes many times",
		setup:  lightEcho,
		inject: openAndClose,
	}, {
		name: "sends garbage",
		tls:  true,
		inject: func(s *scene) {
			for _, garbage := range []string{
				"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
				"\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03" + strings.Repeat("tls", 50),
				strings.Repeat("\xff", 100),
				strings.Repeat("\x00", 100),
				"SSH-2.0-OpenSSH_9.9\r\n",
			} {
				p := s.open("echo")
				p.write([]byte(garbage))
				if _, end := p.closed(); end.Code != 1002 {
					s.Errorf("%.20q: closed with %v", garbage, end)
				}
			}
		},
		ends: closedWith(1002),
	}, {
		name: "announces 2^63 bytes",
		inject: func(s *scene) {
			p := s.open("echo")
			p.write([]byte{finBit | opText, maskBit | 127, 128, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0})
			if _, end := p.closed(); end.Code != 1002 {
				s.Errorf("closed with %v", end)
			}
		},
		ends: closedWith(1002),
	}, {
		name: "announces 2^62 bytes",
		inject: func(s *scene) {
			header := []byte{finBit | opText, maskBit | 127, 64, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}
			s.bounded(func() {
				p := s.open("echo")
				p.write(append(header, "and is silent"...))
				p.Close()
				p = s.open("echo")
				p.write(header)
				p.write(make([]byte, DefaultMaxMessageSize+1))
				if _, end := p.closed(); end.Code != 1009 {
					s.Errorf("closed with %v", end)
				}
			})
			s.log.wait(closedWith(1006))
		},
		ends: closedWith(1009),
	},
}

func init() {
	children["nostdin"] = func([]string) {
		os.Stdin.Close()
		fmt.Println("closed")
		time.Sleep(time.Hour)
	}
}

package bridge

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strings"
)

func init() {
	for i := range cgiFaults {
		cgiFaults[i].name = "CGI: " + cgiFaults[i].name
		cgiFaults[i].setup = func(s *scene) { withCGI(s, s.h) }
	}
	childFaults = append(childFaults, cgiFaults...)

	// headed answers with a header and then does what follows.
	children["headed"] = func(args []string) {
		fmt.Print("Content-Type: text/plain\n\n")
		children[args[0]](args[1:])
	}
}

// ask makes a request for a program that does what the query says.
func (s *scene) ask(method, query, rest string) *peer {
	p := dial(s, s.srv.Listener.Addr().String())
	s.peers = append(s.peers, p)
	fmt.Fprintf(p, "%s %s HTTP/1.1\r\nHost: localhost\r\n%s", method, asked(query), rest)
	return p
}

// answers reads an answer to its end.
func (s *scene) answers(p *peer, status int) string {
	s.Helper()
	resp, err := http.ReadResponse(p.r, nil)
	if err != nil {
		s.Fatal(err)
	}
	body, err := io.ReadAll(resp.Body)
	if resp.StatusCode != status || err != nil {
		s.Errorf("%s %.100q, %v", resp.Status, body, err)
	}
	return string(body)
}

func (s *scene) inUse() {
	until(s, func() bool { return s.h.sessions() == 2 }, func() string { return "the program" })
}

// running waits for the program, which starts when the request is there.
func (s *scene) running() {
	until(s, func() bool { return processes(s.mark) == 2 }, func() string { return "the program" })
}

// cgiFaults are what clients and programs do that is not a session's.
var cgiFaults = []fault{
	{
		name: "the client goes before the answer",
		inject: func(s *scene) {
			p := s.ask("GET", "mute", "\r\n")
			s.running()
			p.Close()
		},
		ends: answered(0),
	}, {
		name: "the client resets",
		inject: func(s *scene) {
			p := s.ask("GET", "headed&flood", "\r\n")
			p.r.Peek(1)
			p.SetLinger(0)
			p.Close()
		},
		ends: answered(200),
	}, {
		name: "the client does not read, and goes",
		inject: func(s *scene) {
			p := s.ask("GET", "headed&flood", "\r\n")
			p.r.Peek(1)
			s.log.blocked()
			p.Close()
		},
		ends: answered(200),
	}, {
		name: "the client sends half a body, and goes",
		inject: func(s *scene) {
			p := s.ask("POST", "tell", "Content-Length: 10\r\n\r\nhalf")
			s.inUse()
			p.Close()
		},
		ends: refusedFor(RuleBody),
	}, {
		name: "the program does not read the body, and the client goes",
		inject: func(s *scene) {
			p := s.ask("POST", "mute", "Content-Length: 1000000\r\n\r\n"+string(bytes.Repeat([]byte("x"), 1_000_000)))
			s.running()
			p.Close()
		},
		ends: an[CGIEnded](),
	}, {
		name:   "closes its output and stays",
		inject: func(s *scene) { s.answers(s.ask("GET", "closeboth", "\r\n"), 500) },
		ends:   an[CGIMalformed](),
	}, {
		name:   "prints without end and without a header",
		inject: func(s *scene) { s.answers(s.ask("GET", "flood", "\r\n"), 500) },
		ends:   an[CGIMalformed](),
	}, {
		name:   "kills itself",
		inject: func(s *scene) { s.answers(s.ask("GET", "suicide&9", "\r\n"), 500) },
		ends:   childEnded("signal: killed"),
	}, {
		name: "stops itself, and the client goes",
		inject: func(s *scene) {
			p := s.ask("GET", "headed&stop", "\r\n")
			s.waitStopped()
			p.Close()
		},
		ends: childEnded("signal: killed"),
	}, {
		name:   "leaves one in the group that holds its output",
		inject: func(s *scene) { s.answers(s.ask("GET", "headed&leave&inside&holding", "\r\n"), 200) },
		ends:   childEnded("exit status 0"),
	}, {
		name:   "leaves one in the group",
		inject: func(s *scene) { s.answers(s.ask("GET", "headed&leave&inside&apart", "\r\n"), 200) },
		ends:   childEnded("exit status 0"),
	}, {
		name: "leaves one outside the group that holds its output",
		inject: func(s *scene) {
			s.kill(number(strings.TrimSpace(s.answers(s.ask("GET", "headed&leave&outside&holding", "\r\n"), 200))))
		},
		ends: childEnded("exit status 0"),
	},
}

package cmd

import (
	"net"
	"net/http"
	"os"

	"github.com/wsbridge/wsbridge/bridge"
	"github.com/wsbridge/wsbridge/cmd/internal/listen"
	"github.com/wsbridge/wsbridge/cmd/internal/site"
	"github.com/wsbridge/wsbridge/cmd/internal/site/client"
	"github.com/wsbridge/wsbridge/cmd/internal/site/console"
)

// onion is all that a request passes through, from the outside in:
//
//	the time limits for clients that stop sending or reading
//	the user's headers, which go on every answer from further in
//	the redirect to https, if there is an address to redirect to
//	the check of the Host
//	client.js, which takes pages back to their programs
//	for a WebSocket: the program, behind all of bridge's other checks
//	for a page, in this order: what the console asks, live reload's own files, CGI
//	programs, files, the page of an application, the console, "not found"
//
// It is drawn from the inside out.
func (s *openSite) onion(t timeouts, https net.Addr) http.Handler {
	var pages http.Handler
	if s.live != nil {
		pages = http.HandlerFunc(s.live.Missing)
	}
	if s.devConsole {
		pages = console.New(console.Options{Framing: s.word(), Terminal: s.pty, PassStderr: s.passStderr, Resume: s.resume > 0}, pages)
	}
	if s.files != nil && s.spa {
		pages = s.files.Index(pages)
	}
	if s.files != nil {
		pages = s.files.Handler(pages)
	}
	if s.programs != nil {
		pages = runCGI(s.bridge, s.programs, pages)
	}
	if s.live != nil {
		pages = s.live.Handler(pages)
	}
	if s.devConsole {
		pages = console.Ask(s.refusal, pages)
	}

	h := s.withPages(pages)
	if !s.hasSocket() {
		h = s.withoutSocket(h)
	} else if s.hosting() != nil {
		h = client.Handler(s.hostChecked, h)
	}
	if https != nil {
		h = listen.ByTLS(h, s.hostChecked(listen.ToHTTPS(https)))
	}
	h = site.WithHeaders(h, s.headers, s.headersWS, s.headersHTTP)
	return site.WithoutStalls(h, t.header, t.stall)
}

// hostChecked is a handler of requests whose Host is one of the server's.
func (s *openSite) hostChecked(h http.Handler) http.Handler {
	return s.bridge.Gate.HostChecked(h, s.bridge.Events)
}

// runCGI answers requests by the programs of a directory, and others by next.
func runCGI(h *bridge.Handler, programs *os.Root, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !h.ServeCGI(w, r, programs) {
			site.Next(next).ServeHTTP(w, r)
		}
	})
}

var noSocket = bridge.Refusal{Status: http.StatusNotFound, Rule: bridge.RuleNotFound,
	Reason: "no WebSocket here", Detail: "(a command or --dir would make one)"}

// refusal is what a handshake with the client, path and headers of a request would be
// refused with; the status 0 means that it would not.
func (s *openSite) refusal(r *http.Request) (status int, reason string) {
	refused := &noSocket
	if s.hasSocket() {
		refused = s.bridge.WouldRefuse(r)
	}
	if refused == nil {
		return 0, ""
	}
	return refused.Status, refused.Reason
}

// withoutSocket refuses WebSockets, because there is no program for them, and passes
// other requests to next.
func (s *openSite) withoutSocket(next http.Handler) http.Handler {
	refusal := s.hostChecked(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.bridge.Events(bridge.Refused{Info: bridge.Info{Remote: r.RemoteAddr, Path: r.URL.Path}, Refusal: noSocket})
		http.Error(w, noSocket.Reason, noSocket.Status)
	}))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if bridge.AsksForUpgrade(r) {
			refusal.ServeHTTP(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}

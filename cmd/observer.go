package cmd

import (
	"net"

	"github.com/wsbridge/wsbridge/bridge"
)

// An observer is told, in types, what the log says in words. Tests have one; a nil
// func is not called.
type observer struct {
	listening func(listeners, redirecting []net.Listener) // it was announced where
	event     func(bridge.Event)                          // after the log
}

// alsoTell tells events to another listener, which may be nil, after the one that
// there is.
func (s *openSite) alsoTell(listener func(bridge.Event)) {
	if listener == nil {
		return
	}
	first := s.bridge.Events
	s.bridge.Events = func(e bridge.Event) {
		first(e)
		listener(e)
	}
}

package bridge

import (
	"time"

	"github.com/wsbridge/wsbridge/process"
)

// An Event is something that a Handler tells its listener (Handler.Events). It
// is one of the structs below; which ones there are may grow.
type Event interface{ event() }

// Info says what an event is about. Fields that are not known yet are zero.
type Info struct {
	ID      string // of the session or the CGI request; the child has it in UNIQUE_ID
	Remote  string // the client's address, as in http.Request.RemoteAddr
	Path    string // of the URL
	Program string // the file of the program, as in Command or as found below CommandDir
	Pid     int
	In, Out Traffic // from the client and to it; counted when the session is over
}

// Traffic counts what went one way. Messages are not counted for CGI.
type Traffic struct{ Messages, Bytes int64 }

// A session is Opened, then Started or NotStarted, and finally Closed. With Resume and
// Share that is the session of the program, and each of its connections is Attached and
// later Detached.
type (
	// Waiting: all places are taken, and a request waits for a session that is ending.
	Waiting struct{ Info }

	// Refused: a request starts no session and no program.
	Refused struct {
		Info
		Refusal Refusal
	}

	// HandshakeFailed: a request was let in, but its connection was lost before the
	// handshake was done.
	HandshakeFailed struct {
		Info
		Err error
	}

	// Opened: the handshake is done. The program is not started yet.
	Opened struct{ Info }

	// Started: the program of a session runs.
	Started struct{ Info }

	// NotStarted: the program of a session, or a CGI program, cannot be started. Err is a
	// process.StartError if that is due to its file.
	NotStarted struct {
		Info
		Command []string
		CGI     bool
		Err     error
	}

	// UpgradeLost: a request is a WebSocket handshake without the part that asks for the
	// upgrade, because a proxy has dropped it. The request is answered like any other.
	UpgradeLost struct {
		Info
		Missing string // a header, or HTTP/1.1
	}

	// NoSubprotocol: a client that offered subprotocols got none of them, and left
	// soon without a word, as browsers do. Closed or Detached follows.
	NoSubprotocol struct {
		Info
		Offered []string
	}

	// Silent: a program was given its first message some time ago, and has sent none
	// since its start. It may be buffering its output. There is at most one such event
	// in a session.
	Silent struct {
		Info
		For time.Duration
	}

	// Stderr: a program has written a line to its standard error. A line over
	// 8 KiB comes in pieces.
	Stderr struct {
		Info
		Line string
	}

	// Chatter: a program has written a line to its standard output that its framing
	// leaves out (JSON, LSP).
	Chatter struct {
		Info
		Line string
	}

	// Closed: nothing is left of a session.
	Closed struct {
		Info
		Ending   Ending         // how its WebSocket was closed
		State    *process.State // how its program ended; nil if it was not started
		Duration time.Duration  // since the program was started
	}

	// Attached: a client is connected to a program that outlives its connection or is
	// shared (Resume, Share). Resumed says that it continues an earlier connection. ID
	// is that of the program's session.
	Attached struct {
		Info
		Resumed bool
	}

	// Detached: that client has left.
	Detached struct {
		Info
		Ending   Ending
		Duration time.Duration
	}

	// TurnedAway: a client asked to continue a session that is over (4404), or from a
	// message that is not kept (4410).
	TurnedAway struct {
		Info
		Ending Ending
	}

	// NotCGI: ServeCGI has found a file that is not a program.
	NotCGI struct {
		Info
		Err error
	}

	// CGIMalformed: the answer of a CGI program has no valid header.
	CGIMalformed struct {
		Info
		Err error
	}

	// CGIEnded: nothing is left of a CGI program.
	CGIEnded struct {
		Info
		Status   int // of the answer; 0 if there was none
		State    process.State
		Duration time.Duration
	}
)

func (Waiting) event()         {}
func (Refused) event()         {}
func (HandshakeFailed) event() {}
func (Opened) event()          {}
func (Started) event()         {}
func (NotStarted) event()      {}
func (UpgradeLost) event()     {}
func (NoSubprotocol) event()   {}
func (Silent) event()          {}
func (Stderr) event()          {}
func (Chatter) event()         {}
func (Closed) event()          {}
func (Attached) event()        {}
func (Detached) event()        {}
func (TurnedAway) event()      {}
func (NotCGI) event()          {}
func (CGIMalformed) event()    {}
func (CGIEnded) event()        {}

// emit tells the listener, if there is one.
func (h *Handler) emit(e Event) {
	if h.Events != nil {
		h.Events(e)
	}
}

// silent returns what reports a program that has sent nothing; nil if nobody listens, or
// if the program is not given what clients send.
func (h *Handler) silent(info *Info) func() {
	if _, readOnly := h.Framing.(ReadOnly); readOnly || h.Events == nil {
		return nil
	}
	return func() { h.Events(Silent{*info, silentFor}) }
}

// stderrOf is what takes the lines of a program's standard error; nil if
// nobody listens.
func (h *Handler) stderrOf(info *Info) func(line string) {
	if h.Events == nil {
		return nil
	}
	return func(line string) { h.Events(Stderr{*info, line}) }
}

// voicesOf are those that Events hears of a program.
func (h *Handler) voicesOf(info *Info) voices {
	if h.Events == nil {
		return voices{}
	}
	return voices{h.stderrOf(info), func(line string) { h.Events(Chatter{*info, line}) }}
}

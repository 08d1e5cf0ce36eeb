package bridge

import (
	"context"
	"errors"

	"github.com/wsbridge/wsbridge/process"
)

// A client that closes with 1000 and so ends its program is sent what the program answers
// to the end of its input, as a client without a hub is. Its seat goes on reading the log
// until that has ended.

// isHeardOut reports whether a client whose session ends for a cause still gets what its
// program says.
func (s *seat) isHeardOut(cause error) bool {
	end, ok := errors.AsType[Ending](cause)
	return ok && end.Code == codeNormal && s.hub.clients.ends(end)
}

// end ends the program, if its client is to hear its answer.
func (s *seat) end(cause error, _, _ context.Context) (none process.State) {
	if s.isHeardOut(cause) {
		why, _ := errors.AsType[Ending](cause)
		s.hub.hearOut(s, why)
	}
	return none
}

func (h *hub) hearOut(s *seat, why Ending) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if _, ok := h.seats[s]; ok && !h.over {
		h.endProgram(why)
	}
}

package bridge

import "context"

// Shutdown refuses new connections with 503, ends every session with close
// code 1001 and its child by the ladder, and waits until all are gone. When
// ctx ends first, the children are killed and the connections dropped at
// once; Shutdown then still waits for the last of them and returns ctx's error.
func (h *Handler) Shutdown(ctx context.Context) error {
	h.once.Do(h.init)
	h.mu.Lock()
	if !h.closed {
		h.closed = true
		if h.running == 0 {
			close(h.gone)
		}
	}
	h.mu.Unlock()
	h.drain(errShutdown)
	select {
	case <-h.gone:
		return nil
	case <-ctx.Done():
		h.kill()
		<-h.gone
		return ctx.Err()
	}
}

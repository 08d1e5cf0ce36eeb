package bridge

import (
	"context"
	"net/http"
	"time"
)

// A Trace is told what the connections of a Client do, by their goroutines, in the
// manner of net/http/httptrace. Each func may be nil, and must not block.
type Trace struct {
	// Connected is told the server's answer to each handshake that was a success. Its
	// body is not for reading.
	Connected func(*http.Response)

	// Pong is told how long the answer to a ping took (RFC 6455, section 5.5.2).
	Pong func(time.Duration)
}

type traceKey struct{}

// WithTrace returns a context for Client.Run with a Trace.
func WithTrace(ctx context.Context, t *Trace) context.Context {
	return context.WithValue(ctx, traceKey{}, t)
}

// traceOf is the Trace of a context, or one that tells nobody.
func traceOf(ctx context.Context) *Trace {
	if t, ok := ctx.Value(traceKey{}).(*Trace); ok {
		return t
	}
	return new(Trace)
}

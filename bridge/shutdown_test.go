package bridge

import (
	"bytes"
	"context"
	"net"
	"net/http/httptest"
	"testing"
)

// A client that does not read holds a drain up for a while, not for ever.
func TestShutdownWithAStalledClient(t *testing.T) {
	t.Parallel()
	h := child(&Handler{}, "flood")
	log := record(t, h)
	connect(t, tightServer(t, h)).SetReadBuffer(4 << 10)
	log.blocked()
	if err := h.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	if !log.has(closedBecause(untold(errShutdown))) {
		t.Errorf("the log:\n%s", log)
	}
}

// Nothing that a child or a client does holds up the second signal.
func TestShutdownAtOnce(t *testing.T) {
	h := child(&Handler{Bounds: Bounds{Grace: testLimit}}, "deaf")
	log := record(t, h)
	p := connect(t, serve(t, h))
	p.message()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- h.Shutdown(ctx) }()
	cancel()
	if err := <-done; err != context.Canceled {
		t.Errorf("got %v", err)
	}
	if !log.has(childEnded("signal: killed")) {
		t.Errorf("the log:\n%s", log)
	}
}

// tightServer is a server whose sockets take little before they block.
func tightServer(t *testing.T, h *Handler) *httptest.Server {
	srv := httptest.NewUnstartedServer(h)
	srv.Config.ConnContext = func(ctx context.Context, nc net.Conn) context.Context {
		nc.(*net.TCPConn).SetWriteBuffer(4 << 10)
		return ctx
	}
	srv.Start()
	t.Cleanup(func() {
		h.Shutdown(t.Context())
		srv.Close()
	})
	return srv
}

// A session that is delivering the last words of its child is drained too.
func TestShutdownInTheTail(t *testing.T) {
	t.Parallel()
	h := child(&Handler{}, "tail")
	log := record(t, h)
	p := connect(t, tightServer(t, h))
	p.SetReadBuffer(4 << 10)
	p.write(bytes.Repeat(text("go"), 2))
	log.wait(says("all is said"))
	if err := h.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	if !log.has(closedWith(1006)) {
		t.Errorf("the log:\n%s", log)
	}
}

// A handler that is shut down refuses, whether it has served or not.
func TestShutdownRefuses(t *testing.T) {
	h := child(&Handler{}, "echo")
	srv := serve(t, h)
	if err := h.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	if status := handshake(t, srv); status != 503 {
		t.Errorf("got %d", status)
	}
}

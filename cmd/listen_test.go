package cmd

import (
	"errors"
	"net"
	"strings"
	"testing"
)

func TestListenSamePort(t *testing.T) {
	addresses := []string{"127.0.0.1"}
	if ln, err := net.Listen("tcp", "[::1]:0"); err == nil {
		ln.Close()
		addresses = append(addresses, "::1")
	}
	listeners, err := listen(addresses, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer closeAll(listeners)
	_, port, _ := net.SplitHostPort(listeners[0].Addr().String())
	if want := "ws://127.0.0.1:" + port + "/"; listenURL("ws", listeners[0]) != want {
		t.Errorf("got %s, want %s", listenURL("ws", listeners[0]), want)
	}
	if len(listeners) > 1 {
		if want := "http://[::1]:" + port + "/"; listenURL("http", listeners[1]) != want {
			t.Errorf("got %s, want %s", listenURL("http", listeners[1]), want)
		}
	}
	for _, ln := range listeners {
		if !isLoopback(ln) {
			t.Errorf("%s is no loopback address", ln.Addr())
		}
	}
}

func TestListenTaken(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	_, err = listen([]string{"127.0.0.1"}, ln.Addr().(*net.TCPAddr).Port)
	if err == nil || !strings.HasPrefix(err.Error(), "cannot listen on "+ln.Addr().String()+": ") || strings.Contains(err.Error(), "bind") {
		t.Error(err)
	}
	if h, ok := errors.AsType[*hintedError](err); !ok || !strings.Contains(h.hint, "--port=0") {
		t.Errorf("%#v", err)
	}
}

// When one of several addresses cannot be had, none stays open.
func TestListenAllOrNone(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := taken.Addr().(*net.TCPAddr).Port
	if listeners, err := listen([]string{"127.0.0.1", "127.0.0.1"}, 0); err == nil {
		closeAll(listeners)
		t.Error("the same address twice")
	}
	taken.Close()
	listeners, err := listen([]string{"127.0.0.1"}, port)
	if err != nil {
		t.Skip("the port went to somebody else:", err)
	}
	closeAll(listeners)
}

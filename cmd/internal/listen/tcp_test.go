package listen

import (
	"net"
	"slices"
	"strings"
	"syscall"
	"testing"
)

func TestTCPSamePort(t *testing.T) {
	addresses := []string{"127.0.0.1"}
	if haveIPv6() {
		addresses = append(addresses, "::1")
	}
	listeners, err := TCP(t.Context(), addresses, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer CloseAll(listeners)
	_, port, _ := net.SplitHostPort(listeners[0].Addr().String())
	if want := "ws://127.0.0.1:" + port + "/"; URL("ws", listeners[0]) != want {
		t.Errorf("got %s, want %s", URL("ws", listeners[0]), want)
	}
	if len(listeners) > 1 {
		if want := "http://[::1]:" + port + "/"; URL("http", listeners[1]) != want {
			t.Errorf("got %s, want %s", URL("http", listeners[1]), want)
		}
	}
	for _, ln := range listeners {
		if !IsLocal(ln) {
			t.Errorf("%s is no loopback address", ln.Addr())
		}
	}
}

func TestTCPTaken(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	_, err = TCP(t.Context(), []string{"127.0.0.1"}, ln.Addr().(*net.TCPAddr).Port)
	if err == nil || !strings.HasPrefix(err.Error(), "cannot listen on "+ln.Addr().String()+": ") || strings.Contains(err.Error(), "bind") {
		t.Error(err)
	}
	if !IsErrno(err, syscall.EADDRINUSE) {
		t.Errorf("%#v", err)
	}
}

// When one of several addresses cannot be had, none stays open.
func TestTCPAllOrNone(t *testing.T) {
	taken, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := taken.Addr().(*net.TCPAddr).Port
	taken.Close()
	const elsewhere = "192.0.2.1" // RFC 5737: nobody's
	listeners, err := TCP(t.Context(), []string{"127.0.0.1", elsewhere}, port)
	if err == nil {
		CloseAll(listeners)
		t.Fatal("it listens on an address of nobody's")
	}
	if !IsErrno(err, syscall.EADDRNOTAVAIL) || !strings.Contains(err.Error(), elsewhere) {
		t.Errorf("%#v", err)
	}
	if listeners, err = TCP(t.Context(), []string{"127.0.0.1"}, port); err != nil {
		t.Error(err)
	}
	CloseAll(listeners)
}

func TestTCPAddresses(t *testing.T) {
	for _, test := range []struct {
		addresses []string
		listeners []string // in their order
		open      []string // of all
	}{
		{[]string{"127.0.0.1"}, []string{"127.0.0.1"}, []string{"127.0.0.1"}},
		{[]string{"127.0.0.1", "127.0.0.1"}, []string{"127.0.0.1"}, []string{"127.0.0.1"}},
		{[]string{"::ffff:127.0.0.1"}, []string{"127.0.0.1"}, []string{"127.0.0.1"}},
		{[]string{"0.0.0.0"}, []string{"0.0.0.0"}, []string{"127.0.0.1"}},
		{[]string{"::1"}, []string{"::1"}, []string{"::1"}},
		{[]string{"::"}, []string{"::"}, []string{"127.0.0.1", "::1"}},
		{[]string{"::", "0.0.0.0"}, []string{"::", "0.0.0.0"}, []string{"127.0.0.1", "::1"}},
		{[]string{"127.0.0.1", "::"}, []string{"127.0.0.1", "::"}, []string{"127.0.0.1", "::1"}},
		{[]string{"localhost"}, []string{"127.0.0.1", "::1"}, []string{"127.0.0.1", "::1"}},
		{[]string{"App.LOCALHOST."}, []string{"127.0.0.1", "::1"}, []string{"127.0.0.1", "::1"}},
		{[]string{"::1", "localhost"}, []string{"::1", "127.0.0.1"}, []string{"127.0.0.1", "::1"}},
	} {
		t.Run(strings.Join(test.addresses, ","), func(t *testing.T) {
			if !haveIPv6() && slices.Contains(test.open, "::1") {
				t.Skip("there is no IPv6 here")
			}
			listeners, err := TCP(t.Context(), test.addresses, 0)
			if err != nil {
				t.Fatal(err)
			}
			defer CloseAll(listeners)
			var hosts []string
			port := ""
			for _, ln := range listeners {
				host, p, _ := net.SplitHostPort(ln.Addr().String())
				if port != "" && p != port {
					t.Errorf("the ports %s and %s", port, p)
				}
				hosts, port = append(hosts, host), p
			}
			if !slices.Equal(hosts, test.listeners) {
				t.Errorf("it listens on %q, want %q", hosts, test.listeners)
			}
			for _, host := range []string{"127.0.0.1", "::1"} {
				nc, err := net.Dial("tcp", net.JoinHostPort(host, port))
				if err == nil {
					nc.Close()
				}
				if want := slices.Contains(test.open, host); (err == nil) != want {
					t.Errorf("connecting to %s: %v, want %t", host, err, want)
				}
			}
		})
	}
}

func haveIPv6() bool {
	ln, err := net.Listen("tcp", "[::1]:0")
	if err == nil {
		ln.Close()
	}
	return err == nil
}

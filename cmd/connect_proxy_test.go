package cmd

import (
	"encoding/pem"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/coder/websocket"
)

// greeter is a server that greets and closes.
func greeter(w http.ResponseWriter, r *http.Request) {
	if c, err := websocket.Accept(w, r, nil); err == nil {
		_ = c.Write(r.Context(), websocket.MessageText, []byte("hello from "+r.Host))
		_ = c.Close(websocket.StatusNormalClosure, "")
	}
}

// tunnels is an HTTP proxy that leads all to one server, for a user with a password.
func tunnels(to string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Header.Get("Proxy-Authorization") != "Basic dXNlcjpzZWNyZXQ=":
			w.WriteHeader(http.StatusProxyAuthRequired)
			return
		case r.Method != http.MethodConnect || !strings.HasPrefix(r.Host, "example.com:"):
			w.WriteHeader(http.StatusForbidden)
			return
		}
		server, err := net.Dial("tcp", to)
		if err != nil {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		client, rest, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		_, _ = io.WriteString(client, "HTTP/1.1 200 Connection established\r\n\r\n")
		join(client, rest, server)
	}
}

// join passes bytes on in both directions.
func join(client net.Conn, from io.Reader, server net.Conn) {
	go func() {
		_, _ = io.Copy(server, from)
		server.Close()
	}()
	_, _ = io.Copy(client, server)
	client.Close()
}

// socks is a SOCKS5 proxy (RFC 1928) without authentication that leads to one server.
func socks(t *testing.T, to string) string {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	go func() {
		for {
			client, err := ln.Accept()
			if err != nil {
				return
			}
			go func() {
				defer client.Close()
				head := make([]byte, 2)
				_, _ = io.ReadFull(client, head)
				_, _ = io.ReadFull(client, make([]byte, head[1]))
				_, _ = client.Write([]byte{5, 0})
				request := make([]byte, 5) // version, CONNECT, 0, the kind of the address, the length of a name
				_, _ = io.ReadFull(client, request)
				_, _ = io.ReadFull(client, make([]byte, int(request[4])+2))
				server, err := net.Dial("tcp", to)
				if request[3] != 3 || err != nil {
					_, _ = client.Write([]byte{5, 1, 0, 1, 0, 0, 0, 0, 0, 0})
					return
				}
				_, _ = client.Write([]byte{5, 0, 0, 1, 0, 0, 0, 0, 0, 0})
				join(client, client, server)
			}()
		}
	}()
	return "socks5://" + ln.Addr().String()
}

// connect goes through the proxy that the environment names, by a tunnel, and its errors
// name the proxy without its password. The environment is read once a process.
func TestConnectThroughAProxy(t *testing.T) {
	plain := httptest.NewServer(http.HandlerFunc(greeter))
	t.Cleanup(plain.Close)
	secure := httptest.NewTLSServer(http.HandlerFunc(greeter))
	t.Cleanup(secure.Close)
	ca := filepath.Join(t.TempDir(), "ca.pem")
	block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: secure.Certificate().Raw})
	if err := os.WriteFile(ca, block, 0o600); err != nil {
		t.Fatal(err)
	}
	toPlain, toSecure := plain.Listener.Addr().String(), secure.Listener.Addr().String()
	proxy := httptest.NewServer(tunnels(toPlain))
	t.Cleanup(proxy.Close)
	proxyForTLS := httptest.NewServer(tunnels(toSecure))
	t.Cleanup(proxyForTLS.Close)
	overTLS := httptest.NewTLSServer(tunnels(toSecure))
	t.Cleanup(overTLS.Close)
	gone, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	gone.Close()
	as := func(user, url string) string { return strings.Replace(url, "://", "://"+user+"@", 1) }

	for i, test := range []struct {
		variable, proxy, url string
		out, err             string
	}{
		{"HTTP_PROXY", as("user:secret", proxy.URL), "ws://example.com/", "hello from example.com\n", ""},
		{"http_proxy", as("user:secret", proxy.URL), "ws://example.com:81/", "hello from example.com:81\n", ""},
		{"HTTPS_PROXY", as("user:secret", proxyForTLS.URL), "wss://example.com/", "hello from example.com\n", ""},
		{"HTTPS_PROXY", as("user:secret", overTLS.URL), "wss://example.com/", "hello from example.com\n", ""},
		{"HTTP_PROXY", socks(t, toPlain), "ws://example.com/", "hello from example.com\n", ""},
		{"HTTPS_PROXY", socks(t, toSecure), "wss://example.com/", "hello from example.com\n", ""},
		{"HTTPS_PROXY", as("user:secret", proxy.URL), "ws://" + toPlain, "hello from " + toPlain + "\n", ""},
		{"HTTP_PROXY", as("user:secreet", proxy.URL), "ws://example.com/", "",
			"cannot connect to ws://example.com/ through the proxy " + proxy.URL + ": it answered 407 Proxy Authentication Required"},
		{"HTTP_PROXY", as("user:secret", proxy.URL), "ws://example.org/", "",
			"cannot connect to ws://example.org/ through the proxy " + proxy.URL + ": it answered 403 Forbidden"},
		{"HTTP_PROXY", "http://u:secret@" + gone.Addr().String(), "ws://example.com/", "",
			"cannot connect to ws://example.com/ through the proxy http://" + gone.Addr().String() + ": "},
		{"HTTP_PROXY", "ftp://u:secret@127.0.0.1", "ws://example.com/", "", "through the proxy ftp://127.0.0.1: ftp is not supported"},
	} {
		t.Run(strconv.Itoa(i), func(t *testing.T) {
			t.Parallel()
			var out, stderr strings.Builder
			cmd := exec.CommandContext(t.Context(), "wsbridge", "connect", "--linger=1m", "--sslca="+ca, test.url)
			cmd.Stdout, cmd.Stderr = &out, &stderr
			for _, v := range os.Environ() {
				if name, _, _ := strings.Cut(v, "="); !strings.HasSuffix(strings.ToUpper(name), "_PROXY") {
					cmd.Env = append(cmd.Env, v)
				}
			}
			cmd.Env = append(cmd.Env, test.variable+"="+test.proxy)
			err := cmd.Run()
			if (err == nil) != (test.err == "") || out.String() != test.out || !strings.Contains(stderr.String(), test.err) {
				t.Errorf("%v, %q, %q; want %q, %q", err, out.String(), stderr.String(), test.out, test.err)
			}
			if strings.Contains(stderr.String(), "secre") {
				t.Errorf("the password is told: %s", stderr.String())
			}
		})
	}
}

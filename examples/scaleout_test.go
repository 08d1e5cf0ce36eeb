//go:build unix

package examples

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// Two nodes behind nginx share what a broker carries. One is killed under load:
// its clients move to the other, and miss nothing.
func TestScaleOut(t *testing.T) {
	t.Parallel()
	for _, program := range []string{"mosquitto", "mosquitto_sub", "mosquitto_pub", "nginx"} {
		need(t, program)
	}
	const clients, messages = 20, 5000
	dir, ports := scaleOut(t)
	serveAt(t, dir, ports["1883"], "mosquitto", "-c", "broker.conf")
	first := serveAt(t, dir, ports["8081"], "./node.sh", ports["8081"])
	serveAt(t, dir, ports["8082"], "./node.sh", ports["8082"])
	serveAt(t, dir, ports["8080"], "nginx", "-p", ".", "-c", "nginx.conf")
	serveAt(t, dir, ports["8083"], "./publish.sh", ports["8083"])

	ctx, cancel := context.WithTimeout(t.Context(), 4*limit)
	defer cancel()
	var wg sync.WaitGroup
	var connected, half atomic.Int32
	var moves atomic.Int32
	for range clients {
		wg.Go(func() {
			l := listener{url: "ws://127.0.0.1:" + ports["8080"] + "/", last: messages}
			err := l.listen(ctx, func() { connected.Add(1) }, func() { half.Add(1) })
			moves.Add(int32(l.connections - 1))
			if err != nil {
				t.Errorf("after message %d: %v", l.next-1, err)
			}
		})
	}
	until(t, "every client to be connected", func() bool { return connected.Load() == clients })

	c, _, err := websocket.Dial(ctx, "ws://127.0.0.1:"+ports["8083"]+"/", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.CloseNow()
	for i := 1; i <= messages; i++ {
		if err := c.Write(ctx, websocket.MessageText, []byte(strconv.Itoa(i))); err != nil {
			t.Fatal(err)
		}
		if i == messages/2 {
			until(t, "a client to have some", func() bool { return half.Load() > 0 })
			if err := first.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	wg.Wait()
	if moves.Load() == 0 {
		t.Error("no client has moved to another node")
	}
	t.Logf("%d clients moved", moves.Load())
}

// A listener is a client that comes back when it has lost its node.
type listener struct {
	url         string
	next, last  int // numbers of messages
	connections int
}

// listen reads until it has every message in order; it passes over those that it
// has. It calls connected once, and half when it has a quarter of them.
func (l *listener) listen(ctx context.Context, connected, some func()) error {
	l.next = 1
	for ; l.next <= l.last; time.Sleep(50 * time.Millisecond) {
		c, _, err := websocket.Dial(ctx, l.url, nil)
		if ctx.Err() != nil {
			return ctx.Err()
		} else if err != nil {
			continue // the nodes are on the move
		}
		if l.connections++; l.connections == 1 {
			connected()
		}
		for l.next <= l.last {
			_, text, err := c.Read(ctx)
			if err != nil {
				break
			}
			n, err := strconv.Atoi(string(text))
			if err != nil || n > l.next {
				c.CloseNow()
				return fmt.Errorf("%q instead of %d", text, l.next)
			}
			if n == l.next {
				l.next++
			}
			if n == l.last/4 {
				some()
			}
		}
		c.CloseNow()
	}
	return nil
}

// scaleOut copies the example to a directory, with ports that are free in the
// place of its own.
func scaleOut(t *testing.T) (dir string, ports map[string]string) {
	t.Helper()
	dir, ports = t.TempDir(), map[string]string{}
	for _, port := range []string{"1883", "8080", "8081", "8082", "8083"} {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		ports[port] = strconv.Itoa(ln.Addr().(*net.TCPAddr).Port)
		ln.Close()
	}
	for _, name := range []string{"nginx.conf", "broker.conf", "node.sh", "publish.sh"} {
		text, err := os.ReadFile(filepath.Join("scale-out", name))
		if err != nil {
			t.Fatal(err)
		}
		changed := string(text)
		for from, to := range ports {
			changed = strings.ReplaceAll(changed, from, to)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(changed), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return dir, ports
}

// serveAt starts a program that listens at a port, and ends it with the test.
func serveAt(t *testing.T, dir, port, program string, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(program, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "PATH="+filepath.Dir(wsbridge)+":"+os.Getenv("PATH"))
	cmd.Stderr = t.Output()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM) // it may have been killed
		_ = cmd.Wait()
	})
	until(t, program+" to listen", func() bool {
		c, err := net.Dial("tcp", "127.0.0.1:"+port)
		if err == nil {
			c.Close()
		}
		return err == nil
	})
	return cmd
}

// until waits for a condition.
func until(t *testing.T, what string, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(2 * limit); !condition(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

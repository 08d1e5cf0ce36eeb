//go:build unix

package cmd

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/coder/websocket"
)

// A kubeResult is what a client of kubectl exec's protocol has of a program.
type kubeResult struct {
	stdout, stderr bytes.Buffer
	status         kubeStatus
	code           websocket.StatusCode
}

// A kubeStatus is as much of metav1.Status as such a client reads.
type kubeStatus struct {
	Status, Message, Reason string
	Details                 *struct {
		Causes []struct{ Reason, Message string }
	}
}

// kubeExec is such a client: it offers the subprotocols of Kubernetes, sends an input and
// closes it, and takes the streams apart.
func kubeExec(t *testing.T, where, input string) (r kubeResult) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	c, _, err := websocket.Dial(ctx, "ws://"+where+"/", &websocket.DialOptions{
		Subprotocols: []string{"v5.channel.k8s.io", "v4.channel.k8s.io"}})
	if err != nil {
		t.Fatal(err)
	}
	defer c.CloseNow()
	c.SetReadLimit(-1)
	if c.Subprotocol() != "v5.channel.k8s.io" {
		t.Errorf("subprotocol %q", c.Subprotocol())
	}
	go func() {
		for rest := input; rest != ""; {
			n := min(len(rest), 32<<10)
			_ = c.Write(ctx, websocket.MessageBinary, []byte("\x00"+rest[:n]))
			rest = rest[n:]
		}
		_ = c.Write(ctx, websocket.MessageBinary, []byte{255, 0})
	}()
	for {
		kind, m, err := c.Read(ctx)
		switch {
		case err != nil:
			r.code = websocket.CloseStatus(err)
			return r
		case kind != websocket.MessageBinary || len(m) == 0:
			t.Fatalf("a message of kind %d: %q", kind, m)
		case r.status.Status != "":
			t.Errorf("after the status: %q", m)
		case m[0] == 1:
			r.stdout.Write(m[1:])
		case m[0] == 2:
			r.stderr.Write(m[1:])
		case m[0] == 3:
			if err := json.Unmarshal(m[1:], &r.status); err != nil {
				t.Error(err)
			}
		default:
			t.Errorf("channel %d", m[0])
		}
	}
}

func TestChannels(t *testing.T) {
	input := strings.Repeat("0123456789abcde\n", 1<<16)
	for _, flags := range [][]string{nil, {"--unbuffer"}, {"--compress"}} {
		s := serveEnviron(t, "tcp", os.Environ(), append(append([]string{"--framing=channels"}, flags...), "sh", "-c", "cat; echo complaint >&2; exit 3")...)
		r := kubeExec(t, s.where, input)
		if r.stdout.String() != input || r.stderr.String() != "complaint\n" || r.code != 4003 {
			t.Errorf("%q: %d bytes, %q, closed with %d", flags, r.stdout.Len(), r.stderr.String(), r.code)
		}
		if s := r.status; s.Status != "Failure" || s.Reason != "NonZeroExitCode" || s.Message != "exit status 3" ||
			s.Details == nil || len(s.Details.Causes) != 1 || s.Details.Causes[0].Reason != "ExitCode" || s.Details.Causes[0].Message != "3" {
			t.Errorf("%q: %+v", flags, r.status)
		}
	}
	s := serveEnviron(t, "tcp", os.Environ(), "--framing=channels", "sh", "-c", "kill -9 $$")
	if r := kubeExec(t, s.where, ""); r.status != (kubeStatus{Status: "Failure", Message: "signal: killed"}) || r.code != 4137 {
		t.Errorf("killed: %+v, closed with %d", r.status, r.code)
	}
	s = serveEnviron(t, "tcp", os.Environ(), "--framing=channels", "sort")
	if r := kubeExec(t, s.where, "b\na\n"); r.stdout.String() != "a\nb\n" || r.status.Status != "Success" || r.code != websocket.StatusNormalClosure {
		t.Errorf("%q, %+v, closed with %d", r.stdout.String(), r.status, r.code)
	}
}

// A client of connect has the streams apart, and exits as the program did, also at a server
// that says so on a channel alone. It waits for the end of a program that is silent.
func TestConnectChannels(t *testing.T) {
	t.Parallel()
	s := serveEnviron(t, "tcp", os.Environ(), "--framing=channels", "sh", "-c", "sort; sleep 1.2; echo late; echo error >&2; exit 3")
	kube := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{"v5.channel.k8s.io"}})
		if err != nil {
			return
		}
		for _, m := range []string{"\x01", "\x02", "\x03", "\x01a\nb\nlate\n", "\x02error\n",
			"\x03" + `{"status":"Failure","details":{"causes":[{"reason":"ExitCode","message":"3"}]}}`} {
			_ = c.Write(r.Context(), websocket.MessageBinary, []byte(m))
		}
		_ = c.Close(websocket.StatusNormalClosure, "")
	}))
	defer kube.Close()
	for _, where := range []string{s.where, kube.Listener.Addr().String()} {
		var out, stderr strings.Builder
		cmd := exec.CommandContext(t.Context(), "wsbridge", "connect", "--framing=channels", "ws://"+where+"/")
		cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader("b\na\n"), &out, &stderr
		err := cmd.Run()
		if cmd.ProcessState.ExitCode() != 3 || out.String() != "a\nb\nlate\n" || stderr.String() != "error\n" {
			t.Errorf("%v, %q, %q", err, out.String(), stderr.String())
		}
	}
}

package bridge

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

func init() {
	// tell answers with its directory, its arguments, its environment and the
	// body of the request.
	children["tell"] = func([]string) {
		fmt.Print("Content-Type: text/plain\n\n")
		dir, _ := os.Getwd()
		fmt.Printf("dir=%s\nargs=%q\n", dir, os.Args[1:])
		for _, v := range os.Environ() {
			fmt.Println(v)
		}
		body, _ := io.ReadAll(os.Stdin)
		fmt.Printf("body=%s\n", body)
	}
	// size answers with how many bytes the body has.
	children["size"] = func([]string) {
		n, _ := io.Copy(io.Discard, os.Stdin)
		fmt.Printf("Content-Type: text/plain\n\n%d", n)
	}
	// begin answers with a line and goes on, deaf or mild to signals.
	children["begin"] = func(args []string) {
		fmt.Print("Content-Type: text/plain\n\nbegun\n")
		if len(args) == 0 {
			children["deaf"](nil)
		}
		time.Sleep(time.Hour)
	}
	// mute neither answers nor ends.
	children["mute"] = func([]string) {
		signal.Ignore(syscall.SIGINT, syscall.SIGTERM)
		time.Sleep(time.Hour)
	}
	// spill answers with N bytes.
	children["spill"] = func(args []string) {
		fmt.Print("Content-Type: text/plain\n\n")
		io.CopyN(os.Stdout, zeros{}, int64(number(args[0])))
		fmt.Fprintln(os.Stderr, "all is said")
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// withCGI gives a Handler CGI programs, one called asked, which does what the
// query says, below a directory sub.
func withCGI(t testing.TB, h *Handler) *os.Root {
	t.Helper()
	root := programs(t, "sub/asked")
	if h.Command == nil {
		child(h, "echo")
	}
	h.Plain = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !h.ServeCGI(w, r, root) {
			http.NotFound(w, r)
		}
	})
	return root
}

func asked(query string) string { return "/sub/asked" + exe + "?" + query }

// request makes a request of its own connection and reads all of the answer.
func request(t testing.TB, srv *httptest.Server, method, path string, body io.Reader, header ...string) (*http.Response, string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), testLimit)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, srv.URL+path, body)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	transport := &http.Transport{DisableKeepAlives: true}
	resp, err := transport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Errorf("%s %s: %v", method, path, err)
	}
	return resp, string(b)
}

// What a program is told of its request.
func TestCGIEnvironment(t *testing.T) {
	t.Setenv("WSBRIDGE_TEST_SECRET", "x")
	h := &Handler{Env: []string{"GIVEN=yes", "SERVER_SOFTWARE=wsbridge/1.2.3"},
		Gate: &Gate{TrustedProxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}}}
	root := withCGI(t, h)
	srv := serve(t, h)
	script := "/sub/asked" + exe
	common := []string{
		"GATEWAY_INTERFACE=CGI/1.1", "SERVER_SOFTWARE=wsbridge/1.2.3", "SERVER_PROTOCOL=HTTP/1.1", "SERVER_NAME=127.0.0.1",
		"SCRIPT_NAME=" + script, "SCRIPT_FILENAME=" + filepath.Join(root.Name(), filepath.FromSlash(script)),
		"GIVEN=yes", "dir=" + filepath.Join(root.Name(), "sub"), "args=[]",
	}
	for _, test := range []struct {
		method, path, body string
		header, want, not  []string
	}{
		{method: "GET", path: script + "?tell",
			want: []string{"REQUEST_METHOD=GET", "PATH_INFO=", "PATH_TRANSLATED=", "QUERY_STRING=tell", "REQUEST_URI=" + script + "?tell", "CONTENT_TYPE=", "body=", "REMOTE_ADDR=127.0.0.1"},
			not:  []string{"CONTENT_LENGTH=", "HTTPS=", "HTTP_PROXY=", "PATH=", "WSBRIDGE_TEST_SECRET="}},
		{method: "GET", path: script + "/a%20b//c?tell&x=%20",
			want: []string{"PATH_INFO=/a b//c", "PATH_TRANSLATED=" + filepath.Join(root.Name(), "a b", "c"), "QUERY_STRING=tell&x=%20"}},
		{method: "GET", path: script + "/?tell", want: []string{"PATH_INFO=/", "PATH_TRANSLATED=" + root.Name()}},
		{method: "POST", path: script + "?tell", body: "a=b&c", header: []string{"Content-Type", "application/x-www-form-urlencoded"},
			want: []string{"REQUEST_METHOD=POST", "CONTENT_LENGTH=5", "CONTENT_TYPE=application/x-www-form-urlencoded", "body=a=b&c"}},
		{method: "POST", path: script + "?tell", want: []string{"CONTENT_LENGTH=0", "body="}},
		{method: "GET", path: script + "?tell", header: []string{"X-Forwarded-For", "127.0.0.1, 192.0.2.7"}, want: []string{"REMOTE_ADDR=192.0.2.7", "REMOTE_PORT="}},
		{method: "DELETE", path: script + "?tell", want: []string{"REQUEST_METHOD=DELETE"}},
		{method: "GET", path: script + "?tell", header: []string{"Proxy", "http://evil.example", "Cookie", "a=1", "X-A", "b", "Content-Length-", "9"},
			want: []string{"HTTP_COOKIE=a=1", "HTTP_X_A=b"}, not: []string{"HTTP_PROXY=", "CONTENT_LENGTH="}},
	} {
		resp, body := request(t, srv, test.method, test.path, strings.NewReader(test.body), test.header...)
		lines := strings.Split(strings.ReplaceAll(body, "\r", ""), "\n")
		if resp.StatusCode != 200 {
			t.Errorf("%s %s: %s %q", test.method, test.path, resp.Status, body)
			continue
		}
		for _, want := range slices.Concat(common, test.want) {
			if !slices.Contains(lines, want) {
				t.Errorf("%s %s: %s is missing in\n%s", test.method, test.path, want, body)
			}
		}
		for _, not := range test.not {
			if strings.Contains(body, "\n"+not) {
				t.Errorf("%s %s: %s in\n%s", test.method, test.path, not, body)
			}
		}
	}
}

// Paths that name no program are left to others.
func TestCGINotFound(t *testing.T) {
	h := &Handler{}
	root := withCGI(t, h)
	if err := os.WriteFile(filepath.Join(root.Name(), "data.txt"), []byte("secret"), 0o666); err != nil {
		t.Fatal(err)
	}
	log := record(t, h)
	for _, path := range []string{"/", "/sub", "/sub/", "/none", "/data.txt", "/data.txt/x", "/../sub/asked", "/sub/../data.txt", "/sub//asked", "/.", "/sub/asked/..", ""} {
		r := httptest.NewRequest("GET", "/", nil)
		r.URL.Path = path
		w := httptest.NewRecorder()
		if h.ServeCGI(w, r, root) || w.Body.Len() > 0 || len(w.Header()) > 0 {
			t.Errorf("%s: %d %q", path, w.Code, w.Body)
		}
	}
	log.wait(an(func(e NotCGI) bool { return e.Path == "/data.txt" && e.Err.Error() == "it is not executable" }))
}

// An answer comes as the program prints it, and when its client goes, so does
// the program.
func TestCGIStreams(t *testing.T) {
	h := &Handler{}
	withCGI(t, h)
	log := record(t, h)
	srv := serve(t, h)
	p := dial(t, srv.Listener.Addr().String())
	fmt.Fprintf(p, "GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n", asked("begin"))
	resp, err := http.ReadResponse(p.r, nil)
	if err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(resp.Body).ReadString('\n'); line != "begun\n" {
		t.Fatalf("%q, %v", line, err)
	}
	p.Close()
	log.wait(an[CGIEnded]())
	log.wait(answered(200))
	until(t, func() bool { return h.sessions() == 0 }, func() string { return "the place" })
}

// More than fits into any buffer, and the connection after that.
func TestCGILongAnswer(t *testing.T) {
	h := &Handler{}
	withCGI(t, h)
	srv := serve(t, h)
	p := dial(t, srv.Listener.Addr().String())
	for range 2 {
		fmt.Fprintf(p, "GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n", asked("spill&5000000"))
		resp, err := http.ReadResponse(p.r, nil)
		if err != nil {
			t.Fatal(err)
		}
		if n, err := io.Copy(io.Discard, resp.Body); n != 5_000_000 || err != nil {
			t.Errorf("%d bytes, %v", n, err)
		}
	}
}

// What is left of an answer when its client goes is not waited for.
func TestCGIAbandoned(t *testing.T) {
	h := &Handler{Bounds: Bounds{Grace: time.Hour}}
	withCGI(t, h)
	log := record(t, h)
	p := dial(t, tightServer(t, h).Listener.Addr().String())
	p.SetReadBuffer(4 << 10)
	fmt.Fprintf(p, "GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n", asked("spill&100000"))
	log.wait(says("all is said")) // the rest is in the pipe, and the program about to exit
	time.Sleep(100 * time.Millisecond)
	p.SetLinger(0)
	p.Close()
	until(t, func() bool { return h.sessions() == 0 }, func() string { return "the place" })
}

// What a program says on its standard error is in the log, and how it ended.
func TestCGILog(t *testing.T) {
	h := &Handler{}
	withCGI(t, h)
	log := record(t, h)
	resp, body := request(t, serve(t, h), "GET", asked("stderr&3"), nil)
	if resp.StatusCode != 500 || disclosed(body) != nil { // it prints a line that is no header
		t.Errorf("%s %q", resp.Status, body)
	}
	log.wait(an[Stderr]())
	log.wait(says("eee"))
	log.wait(an[CGIMalformed]())
	log.wait(an[CGIEnded]())
	log.wait(childEnded("exit status 0"))
}

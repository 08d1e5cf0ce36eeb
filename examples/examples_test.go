//go:build unix

// Package examples has no code of its own: its tests run the examples against
// the real wsbridge, as a newcomer would.
package examples

import (
	"bytes"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// limit bounds every wait. It is generous, for a loaded machine; no test takes
// that long unless it fails.
const limit = 30 * time.Second

// wsbridge is the path of the binary that TestMain has built.
var wsbridge string

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "wsbridge-examples")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	wsbridge = filepath.Join(dir, "wsbridge")
	if out, err := exec.Command("go", "build", "-o", wsbridge, "..").CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "go build: %v\n%s", err, out)
		return 1
	}
	// What the examples do most is wait.
	flag.Parse()
	if err := flag.Set("test.parallel", "8"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

func TestCount(t *testing.T) {
	t.Parallel()
	need(t, "bash")
	s := start(t, nil, "--staticdir=count", "count/count.sh")
	s.page("count/index.html")

	want := []string{"1", "2", "3", "4", "5", "6", "7", "8", "9", "10"}
	for _, tt := range []struct {
		query  string
		code   websocket.StatusCode
		reason string
	}{
		{"", websocket.StatusNormalClosure, ""},
		{"?exit=3", 4003, "exit status 3"},
		{"?exit=x", websocket.StatusNormalClosure, ""},
	} {
		t.Run("query "+tt.query, func(t *testing.T) {
			t.Parallel()
			lines, closed := s.dial(t, tt.query).rest()
			if !slices.Equal(lines, want) {
				t.Errorf("got %q, want %q", lines, want)
			}
			if closed.Code != tt.code || closed.Reason != tt.reason {
				t.Errorf("got %v, want code %d and reason %q", closed, tt.code, tt.reason)
			}
		})
	}

	// One that leaves in the middle of the count ends only its own child.
	t.Run("leaving", func(t *testing.T) {
		t.Parallel()
		c := s.dial(t, "")
		c.want("1")
		c.close()
		s.dial(t, "").want("1")
	})
}

// The awks differ in what they buffer: the example must work with each.
func TestGreeterAwks(t *testing.T) {
	for _, name := range []string{"gawk", "mawk", "original-awk", "busybox"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			awk, err := exec.LookPath(name)
			if err != nil {
				t.Skipf("there is no %s here", name)
			}
			path := t.TempDir()
			if err := os.Symlink(awk, filepath.Join(path, "awk")); err != nil {
				t.Fatal(err)
			}
			greet(t, start(t, []string{path, os.Getenv("PATH")}, "--staticdir=greeter", "greeter/greeter.awk"))
		})
	}
}

// greet asserts what each greeter does, over two connections.
func greet(t *testing.T, s *server) {
	t.Helper()
	s.page("greeter/index.html")
	one, other := s.dial(t, ""), s.dial(t, "")
	// Each answer is awaited before the next name is sent: a greeter that
	// buffers its output fails here.
	for _, name := range []string{"World", "Zoë", `a "b" \n $HOME %s`, strings.Repeat("long ", 40_000), ""} {
		one.send(name)
		one.want("Hello, " + name + "!")
	}
	one.close()
	s.wantChildren(1)
	other.send("World")
	other.want("Hello, World!")
	other.close()
	s.wantChildren(0)
	s.dial(t, "").close()
}

// One server for all of them, which finds each by its address and nothing else.
func TestGreeterDir(t *testing.T) {
	t.Parallel()
	need(t, "sh")
	s := start(t, nil, "--dir=greeter")
	c := s.dial(t, "greeter.sh")
	c.send("World")
	c.want("Hello, World!")
	c.close()
	for _, path := range []string{"", "greeter.c", "index.html", "go", "../count/count.sh"} {
		if conn, resp, err := websocket.Dial(t.Context(), s.url+path, nil); err == nil || resp == nil || resp.StatusCode != 404 {
			t.Errorf("%s: %v, %v", path, resp, err)
			if conn != nil {
				conn.CloseNow()
			}
		}
	}
}

func TestEcho(t *testing.T) {
	t.Parallel()
	s := start(t, nil, "--staticdir=greeter", "cat")
	s.page("greeter/index.html")
	c := s.dial(t, "")
	c.send("Is there anybody?")
	c.want("Is there anybody?")
	c.close()
	s.wantChildren(0)
}

func TestDashboard(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the numbers are those of Linux's vmstat and /proc")
	}
	t.Run("vmstat", func(t *testing.T) {
		t.Parallel()
		need(t, "vmstat")
		s := start(t, nil, "--staticdir=dashboard", "dashboard/vmstat.sh")
		s.page("dashboard/index.html")
		dashboard(t, s)
	})
	t.Run("proc", func(t *testing.T) {
		t.Parallel()
		// A PATH with nothing in it but what the script cannot do without.
		path := t.TempDir()
		sleep, err := exec.LookPath("sleep")
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(sleep, filepath.Join(path, "sleep")); err != nil {
			t.Fatal(err)
		}
		dashboard(t, start(t, []string{path}, "dashboard/vmstat.sh"))
	})
}

// dashboard asserts what the page relies on: a line of names, then lines of as
// many numbers, of which those of the processor are percentages.
func dashboard(t *testing.T, s *server) {
	t.Helper()
	c := s.dial(t, "")
	names := strings.Fields(c.read())
	if !slices.Contains(names, "us") {
		names = strings.Fields(c.read()) // vmstat's first line is a title
	}
	for range 2 {
		numbers := strings.Fields(c.read())
		if len(numbers) != len(names) {
			t.Fatalf("%d numbers for the names %q: %q", len(numbers), names, numbers)
		}
		for _, name := range []string{"us", "sy", "wa", "free"} {
			i := slices.Index(names, name)
			if i < 0 {
				t.Fatalf("no %s in %q", name, names)
			}
			n, err := strconv.Atoi(numbers[i])
			if err != nil || n < 0 || n > 100 && name != "free" {
				t.Errorf("%s is %q in %q", name, numbers[i], numbers)
			}
		}
	}
	c.close()

	s.wantChildren(0)

	// A child without an end meets the server's.
	c = s.dial(t, "")
	c.read()
	s.terminate()
	if _, closed := c.rest(); closed.Code != websocket.StatusGoingAway {
		t.Errorf("at the server's end: %v, want close code 1001", closed)
	}
}

// isOfPage reports whether a file is a script that the page in its folder loads.
func isOfPage(path string) bool {
	page, err := os.ReadFile(filepath.Join(filepath.Dir(path), "index.html"))
	return err == nil && bytes.Contains(page, []byte(` src="`+filepath.Base(path)+`"`))
}

func TestFiles(t *testing.T) {
	remote := regexp.MustCompile(`(?i)https?://|(src|href)\s*=\s*["']?//|url\(|@import|\bfetch\(`)
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if d != nil && d.Name() == "node_modules" {
			return fs.SkipDir
		}
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		shebang := bytes.HasPrefix(text, []byte("#!/"))
		if executable := info.Mode()&0o100 != 0; executable != shebang {
			t.Errorf("%s: executable is %v, a #! line is %v", path, executable, shebang)
		}
		switch ext := filepath.Ext(path); {
		case slices.Contains([]string{".sh", ".py", ".js", ".pl", ".awk", ".rb", ".php", ".lua", ".tcl"}, ext) && !shebang && !isOfPage(path):
			t.Errorf("%s does not start with #!", path)
		case ext == ".html":
			if found := remote.Find(text); found != nil {
				t.Errorf("%s takes something from the network: %s", path, found)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// Each file that the README names is there.
func TestReadme(t *testing.T) {
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	paths := regexp.MustCompile(`\bexamples/[\w./-]*\w`).FindAllString(string(text), -1)
	if len(paths) == 0 {
		t.Error("README.md names no example")
	}
	for _, path := range paths {
		if _, err := os.Stat(filepath.Join("..", path)); err != nil {
			t.Error(err)
		}
	}
}

// need skips the test where the program that it runs is absent. In CI that is
// a failure: there, nothing may go untested unnoticed.
func need(t *testing.T, program string) {
	t.Helper()
	if _, err := exec.LookPath(program); err != nil {
		missing(t, program)
	}
}

func missing(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("CI") != "" {
		t.Fatalf("missing, and CI is set: %s", what)
	}
	t.Skipf("missing: %s", what)
}

package process

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/wsbridge/wsbridge/process/selfchild"
)

// The test binary is the child of its own tests: with childVar in its
// environment it runs that one of children, instead of the tests.
const childVar = "PROCESS_TEST_CHILD"

// limit is how long anything may take before it counts as hanging.
const limit = time.Minute

var children = map[string]func(args []string){
	"environ":     childEnviron,
	"args":        func([]string) { fmt.Printf("%q", os.Args) },
	"dir":         childDir,
	"exit":        func(args []string) { os.Exit(atoi(args[0])) },
	"cat":         func([]string) { io.Copy(os.Stdout, os.Stdin) },
	"deaf":        func([]string) { fmt.Println("ready"); select {} },
	"print":       childPrint,
	"close-stdin": childCloseStdin,
	"leave":       childLeave,
	"holder":      childHolder,
	"endless":     childEndless,
	"flood":       childFlood,
	"discard":     func([]string) { io.Copy(io.Discard, os.Stdin) },
}

func TestMain(m *testing.M) {
	name := os.Getenv(childVar)
	if slices.Equal(os.Args[1:], []string{"environ"}) {
		name = "environ" // which a child without an environment is asked for
	}
	if name != "" {
		self = os.Args[0]
		time.AfterFunc(5*time.Minute, func() { os.Exit(99) }) // whatever happens to the tests
		children[name](os.Args[1:])
		os.Exit(0)
	}

	var remove func()
	self, remove = selfchild.Make()
	// Once through everything, so that what is kept (by the runtime for its
	// poller, and by the lookout) is not taken for a leak.
	warm := command("exit", "0")
	p, err := warm.Start()
	if err != nil {
		remove()
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	p.Stderr.WhenReadable(func() {})
	p.End(context.Background())
	p.Close()

	goroutines, files := runtime.NumGoroutine(), openFiles()
	code := m.Run()
	if code == 0 && flag.Lookup("test.fuzz").Value.String() == "" { // it waits for signals for good
		if err := noLeak(goroutines, files); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	remove()
	os.Exit(code)
}

// noLeak tells what the tests have left behind.
func noLeak(goroutines, files int) error {
	if !eventually(func() bool { return runtime.NumGoroutine() <= goroutines }) {
		stacks := make([]byte, 1<<20)
		return fmt.Errorf("%d goroutines left:\n%s", runtime.NumGoroutine()-goroutines, stacks[:runtime.Stack(stacks, true)])
	}
	if n := openFiles(); n > files {
		return fmt.Errorf("%d file descriptors left", n-files)
	}
	return noChild()
}

// eventually waits for cond to hold.
func eventually(cond func() bool) bool {
	for start := time.Now(); time.Since(start) < limit; time.Sleep(time.Millisecond) {
		if cond() {
			return true
		}
	}
	return cond()
}

// self is the program that runs children.
var self string

// command is the child function called name.
func command(name string, args ...string) *Command {
	return &Command{
		Path: self,
		Args: append([]string{self}, args...),
		Env: append([]string{ // the first of a name counts
			childVar + "=" + name,
			"GORACE=atexit_sleep_ms=0", // instead of a second
		}, os.Environ()...),
	}
}

// tested is a command that is a child whose own code is under test, so that races show.
func tested(name string, args ...string) *Command {
	c := command(name, args...)
	c.Path = os.Args[0]
	c.Args[0] = c.Path
	return c
}

// start starts a child that ends with the test.
func start(t testing.TB, c *Command) *Process {
	t.Helper()
	p, err := c.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		p.End(done)
		p.Close()
	})
	return p
}

// done is a context that is.
var done = func() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}()

// wait waits for p to exit by itself.
func wait(t testing.TB, p *Process) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	if err := p.Wait(ctx); err != nil {
		t.Fatal("child has not exited: ", err)
	}
}

// collect reads o to its end in a goroutine.
func collect(o *Output) <-chan string {
	ch := make(chan string, 1)
	go func() {
		b, _ := io.ReadAll(o)
		ch <- string(b)
	}()
	return ch
}

// receive waits for what a goroutine of the test has to tell.
func receive[T any](t testing.TB, ch <-chan T) (v T) {
	t.Helper()
	select {
	case v = <-ch:
	case <-time.After(limit):
		t.Fatal("nothing came")
	}
	return v
}

// expectLine reads a line and compares it.
func expectLine(t testing.TB, r *bufio.Reader, want string) {
	t.Helper()
	if got := readLine(t, r); got != want {
		t.Fatalf("got line %q, want %q", got, want)
	}
}

func readLine(t testing.TB, r *bufio.Reader) string {
	t.Helper()
	line, err := r.ReadString('\n')
	if err != nil {
		t.Fatalf("reading a line: %q, %v", line, err)
	}
	return strings.TrimSuffix(line, "\n")
}

func atoi(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		panic(err)
	}
	return n
}

// pipe is an Output and its writing end.
func pipe(t testing.TB) (*Output, *os.File) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	o := newOutput(r)
	t.Cleanup(func() {
		o.cutOff()
		_ = o.close()
		w.Close()
	})
	return o, w
}

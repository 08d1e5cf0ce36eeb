package process

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
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
}

func TestMain(m *testing.M) {
	name := os.Getenv(childVar)
	if slices.Equal(os.Args[1:], []string{"environ"}) {
		name = "environ" // which a child without an environment is asked for
	}
	if name != "" {
		time.AfterFunc(5*time.Minute, func() { os.Exit(99) }) // whatever happens to the tests
		children[name](os.Args[1:])
		os.Exit(0)
	}

	// Once through everything, so that what is kept (by the runtime for its
	// poller, and by the lookout) is not taken for a leak.
	warm := command("exit", "0")
	p, err := warm.Start()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	p.Stderr.WhenReadable(func() {})
	p.End(context.Background())
	p.Close()

	goroutines, files := runtime.NumGoroutine(), openFiles()
	code := m.Run()
	if code == 0 {
		if err := noLeak(goroutines, files); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
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

// command is the child function called name.
func command(name string, args ...string) *Command {
	exe, err := os.Executable()
	if err != nil {
		panic(err)
	}
	return &Command{
		Path: exe,
		Args: append([]string{exe}, args...),
		Env: append([]string{ // the first of a name counts
			childVar + "=" + name,
			"GORACE=atexit_sleep_ms=0", // instead of a second
		}, os.Environ()...),
	}
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

func childEnviron([]string) {
	for _, v := range os.Environ() {
		fmt.Println(v)
	}
}

func childDir([]string) {
	dir, _ := os.Getwd()
	fmt.Print(dir)
}

// childPrint prints as many bytes as it is told.
func childPrint(args []string) { os.Stdout.Write(pattern(atoi(args[0]))) }

func pattern(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i ^ i>>8 ^ i>>16)
	}
	return b
}

func childCloseStdin([]string) {
	io.ReadFull(os.Stdin, make([]byte, 1))
	os.Stdin.Close()
	fmt.Println("closed")
	select {}
}

// childLeave starts the child function args[0] with its own standard output,
// waits until that has told its process ID and exits with status 3.
func childLeave(args []string) {
	exe, _ := os.Executable()
	cmd := exec.Command(exe, args[1:]...)
	cmd.Env = append(os.Environ(), childVar+"="+args[0])
	cmd.Stdout = os.Stdout
	if len(args) > 1 && args[1] == "setsid" {
		leaveGroup(cmd)
	}
	ready, _ := cmd.StderrPipe()
	alive, _ := cmd.StdinPipe() // ends with this process
	if err := cmd.Start(); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	bufio.NewReader(ready).ReadString('\n')
	fmt.Fprintf(os.Stderr, "%d\n", cmd.Process.Pid)
	if len(args) > 2 && args[2] == "fill" {
		fmt.Fprintf(os.Stderr, "%d\n", fill(os.Stdout))
	} else {
		fmt.Println("leader")
	}
	runtime.KeepAlive(alive)
	os.Exit(3)
}

// childHolder holds its standard output, and writes to it after its parent
// has exited.
func childHolder([]string) {
	fmt.Fprintln(os.Stderr, "ready")
	io.Copy(io.Discard, os.Stdin)
	fmt.Println("holder")
	select {}
}

// childEndless never stops writing.
func childEndless([]string) {
	fmt.Fprintln(os.Stderr, "ready")
	b := bytes.Repeat([]byte("y\n"), 2048)
	for {
		if _, err := os.Stdout.Write(b); err != nil {
			os.Exit(0)
		}
	}
}

func TestExitStatus(t *testing.T) {
	for _, status := range []int{0, 3, 255} {
		p := start(t, command("exit", strconv.Itoa(status)))
		out, errs := collect(p.Stdout), collect(p.Stderr)
		wait(t, p)
		state := p.End(t.Context())
		if want := (State{Status: status}); state != want {
			t.Errorf("got %+v, want %+v", state, want)
		}
		if got, want := state.String(), fmt.Sprint("exit status ", status); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
		if again := p.End(t.Context()); again != state {
			t.Errorf("second End: got %+v, want %+v", again, state)
		}
		wait(t, p) // as it did before End
		receive(t, out)
		receive(t, errs)
	}
}

func TestEnv(t *testing.T) {
	c := command("")
	c.Args = append(c.Args, "environ")
	c.Env = nil
	p := start(t, c)
	got := receive(t, collect(p.Stdout))
	if runtime.GOOS == "windows" { // gives every process some of its own
		got = ""
	}
	if got != "" {
		t.Errorf("nil Env: the child sees %q", got)
	}

	c.Env = []string{childVar + "=environ", "GORACE=atexit_sleep_ms=0", "A=1", "B=two words"}
	p = start(t, c)
	got = strings.ReplaceAll(receive(t, collect(p.Stdout)), "\r", "")
	if want := "A=1\nB=two words\n"; !strings.Contains(got, want) {
		t.Errorf("the child sees %q, want %q in it", got, want)
	}
}

func TestArgs(t *testing.T) {
	c := command("args")
	for _, args := range [][]string{nil, {"name"}, {"name", "", "two words", `"`, `\`, "-x"}} {
		c.Args = args
		want := fmt.Sprintf("%q", args)
		if args == nil {
			want = fmt.Sprintf("%q", []string{c.Path})
		}
		if got := receive(t, collect(start(t, c).Stdout)); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

func TestDir(t *testing.T) {
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	there, err := filepath.EvalSymlinks(os.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for dir, want := range map[string]string{"": here, there: there} {
		c := command("dir")
		c.Dir = dir
		if got := receive(t, collect(start(t, c).Stdout)); got != want {
			t.Errorf("Dir %q: the child runs in %q, want %q", dir, got, want)
		}
	}
}

func TestStartErrors(t *testing.T) {
	c := command("exit", "0")
	missing := filepath.Join(filepath.Dir(c.Path), "missing")
	if _, err := (&Command{Path: missing}).Start(); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing Path: %v", err)
	}
	c.Dir = missing
	_, err := c.Start()
	if pathErr, ok := errors.AsType[*fs.PathError](err); !ok || pathErr.Path != missing || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing Dir: %v", err)
	}
	c = command("exit", "a\x00b")
	if _, err := c.Start(); err == nil {
		t.Error("no error for an argument with a zero byte")
	}
}

// A child that ends at the end of its standard input is not signalled.
func TestEndOfStdinIsEnough(t *testing.T) {
	c := command("cat")
	c.Grace = limit
	p := start(t, c)
	out := collect(p.Stdout)
	if _, err := p.Stdin.Write([]byte("last words")); err != nil {
		t.Fatal(err)
	}
	p.Stdin.Close()
	if state := p.End(t.Context()); state != (State{}) {
		t.Error(state)
	}
	if got := receive(t, out); got != "last words" {
		t.Errorf("got %q", got)
	}
}

// Children that are started at the same time do not hold each other's pipes.
func TestManyAtOnce(t *testing.T) {
	const n = 30
	failed := make(chan error, n)
	for i := range n {
		go func() {
			failed <- func() error {
				c := command("cat")
				c.Grace = limit
				p, err := c.Start()
				if err != nil {
					return err
				}
				defer p.Close()
				want := fmt.Sprint("child ", i)
				p.Stdin.Write([]byte(want))
				p.Stdin.Close()
				got, _ := io.ReadAll(p.Stdout)
				if state := p.End(t.Context()); string(got) != want || state != (State{}) {
					return fmt.Errorf("got %q, %v; want %q", got, state, want)
				}
				return nil
			}()
		}()
	}
	for range n {
		if err := receive(t, failed); err != nil {
			t.Error(err)
		}
	}
}

// A ctx that is done ends every wait, a long grace or not.
func TestEndAtOnce(t *testing.T) {
	c := command("deaf")
	c.Grace = time.Hour
	p := start(t, c)
	out := bufio.NewReader(p.Stdout)
	expectLine(t, out, "ready")
	p.End(done)
	if b, err := io.ReadAll(out); len(b) > 0 || err != nil {
		t.Errorf("after End: read %q, %v", b, err)
	}

	// Also one that becomes done later.
	p = start(t, c)
	out = bufio.NewReader(p.Stdout)
	expectLine(t, out, "ready")
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan State, 1)
	go func() { ended <- p.End(ctx) }()
	time.Sleep(time.Duration(rand.IntN(20)) * time.Millisecond)
	cancel()
	receive(t, ended)
}

// While others hold the standard output of a child that exited, it is read.
func TestHolding(t *testing.T) {
	c := command("leave", "holder")
	c.Grace = time.Hour
	p := start(t, c)
	errs := bufio.NewReader(p.Stderr)
	holder := watch(t, atoi(readLine(t, errs)))
	wait(t, p)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan State, 1)
	go func() { ended <- p.End(ctx) }()
	out := bufio.NewReader(p.Stdout)
	lines := []string{readLine(t, out), readLine(t, out)}
	slices.Sort(lines)
	if want := []string{"holder", "leader"}; !slices.Equal(lines, want) {
		t.Errorf("got lines %q, want %q", lines, want)
	}
	rest := make(chan string, 1)
	go func() {
		b, _ := io.ReadAll(out)
		rest <- string(b)
	}()
	select {
	case state := <-ended:
		t.Errorf("End has not held, it returned %v", state)
	case s := <-rest:
		t.Errorf("End has not held, the output ended with %q", s)
	default:
	}
	cancel()
	if state := receive(t, ended); state != (State{Status: 3}) {
		t.Error(state)
	}
	if s := receive(t, rest); s != "" {
		t.Errorf("then came %q", s)
	}
	holder.expectGone(t)
}

// What nobody reads is not held.
func TestHoldingAbandoned(t *testing.T) {
	c := command("leave", "holder")
	c.Grace = time.Hour
	p := start(t, c)
	holder := watch(t, atoi(readLine(t, bufio.NewReader(p.Stderr))))
	wait(t, p)
	ended := make(chan State, 1)
	go func() { ended <- p.End(t.Context()) }()
	p.Stdout.Abandon()
	if state := receive(t, ended); state != (State{Status: 3}) {
		t.Error(state)
	}
	holder.expectGone(t)
}

// They hold it for a while only, and die then.
func TestHoldingEnds(t *testing.T) {
	for _, grace := range []time.Duration{0, 200 * time.Millisecond} {
		t.Run(grace.String(), func(t *testing.T) {
			t.Parallel()
			c := command("leave", "holder")
			c.Grace = grace
			p := start(t, c)
			holder := watch(t, atoi(readLine(t, bufio.NewReader(p.Stderr))))
			out := collect(p.Stdout)
			wait(t, p)
			began := time.Now()
			if state := p.End(t.Context()); state != (State{Status: 3}) {
				t.Error(state)
			}
			if d := time.Since(began); d < holding+grace {
				t.Errorf("held only for %v", d)
			}
			if got := receive(t, out); !strings.Contains(got, "leader\n") {
				t.Errorf("got %q", got)
			}
			holder.expectGone(t)
		})
	}
}

// A child that exited with nobody else at its output is not held.
func TestNotHolding(t *testing.T) {
	c := command("print", "10")
	c.Grace = time.Hour
	p := start(t, c)
	out := collect(p.Stdout)
	wait(t, p)
	p.End(t.Context())
	if got := receive(t, out); got != string(pattern(10)) {
		t.Errorf("got %q", got)
	}
}

// The last words arrive together with the end of file.
func TestLastWords(t *testing.T) {
	for range 20 {
		p := start(t, command("print", "100"))
		out := collect(p.Stdout)
		wait(t, p)
		p.End(t.Context())
		if got := receive(t, out); got != string(pattern(100)) {
			t.Fatalf("got %d bytes, want 100", len(got))
		}
		if n, err := p.Stdout.Read(make([]byte, 1)); n != 0 || err != io.EOF {
			t.Fatalf("Read at the end: %d, %v", n, err)
		}
	}
}

// What was written just before the exit waits for a reader who is slow.
func TestSlowReader(t *testing.T) {
	const size = 1 << 20
	p := start(t, command("print", strconv.Itoa(size)))
	exited := make(chan error, 1)
	go func() { exited <- p.Wait(context.Background()) }()
	var got []byte
	buf := make([]byte, 5000)
	var err error
	for err == nil {
		var n int
		n, err = p.Stdout.Read(buf)
		got = append(got, buf[:n]...)
		select {
		case <-exited: // End gives up holding before the pipe is empty
			p.End(done)
			exited = nil
		default:
			time.Sleep(100 * time.Microsecond)
		}
	}
	if exited != nil {
		receive(t, exited)
	}
	if err != io.EOF || !bytes.Equal(got, pattern(size)) {
		t.Errorf("got %d bytes, %v; want %d", len(got), err, size)
	}
	if state := p.End(done); state != (State{}) {
		t.Error(state)
	}
}

func TestCloseInput(t *testing.T) {
	p := start(t, command("deaf"))
	written := make(chan error, 1)
	go func() {
		_, err := p.Stdin.Write(make([]byte, 1<<20)) // more than any pipe takes
		written <- err
	}()
	select {
	case err := <-written:
		t.Fatal("Write has not waited: ", err)
	case <-time.After(20 * time.Millisecond):
	}
	p.Stdin.Close()
	if runtime.GOOS == "windows" {
		p.End(done)
		if err := receive(t, written); err == nil {
			t.Error("blocked Write: no error")
		}
	} else if err := receive(t, written); !errors.Is(err, os.ErrClosed) {
		t.Errorf("blocked Write: got %v", err)
	}
	if n, err := p.Stdin.Write([]byte("x")); n != 0 || !errors.Is(err, os.ErrClosed) {
		t.Errorf("Write after Close: got %d, %v", n, err)
	}
}

func TestWait(t *testing.T) { testWait(t, start) }

// testWait is also run on a child that is watched in the other way.
func testWait(t *testing.T, start func(testing.TB, *Command) *Process) {
	p := start(t, command("cat"))
	cause := errors.New("cause")
	for range 3 {
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(cause)
		if err := p.Wait(ctx); err != cause {
			t.Fatalf("got %v", err)
		}
		ctx, stop := context.WithTimeout(t.Context(), time.Millisecond)
		if err := p.Wait(ctx); err != context.DeadlineExceeded {
			t.Fatalf("got %v", err)
		}
		stop()
	}
	p.Stdin.Close()
	wait(t, p)
	for range 100 { // it stays so, and counts more than ctx
		if err := p.Wait(done); err != nil {
			t.Fatal(err)
		}
	}
	if state := p.End(done); state != (State{}) {
		t.Error(state)
	}
}

// The exit and the end of ctx may come at the same moment.
func TestWaitRace(t *testing.T) { testWaitRace(t, start) }

func testWaitRace(t *testing.T, start func(testing.TB, *Command) *Process) {
	for range 10 {
		p := start(t, command("exit", "7"))
		for {
			ctx, cancel := context.WithCancel(t.Context())
			timer := time.AfterFunc(rand.N(20*time.Microsecond), cancel)
			err := p.Wait(ctx)
			timer.Stop()
			cancel()
			if err == nil {
				break
			}
			if err != context.Canceled {
				t.Fatal(err)
			}
		}
		if state := p.End(done); state != (State{Status: 7}) {
			t.Fatal(state)
		}
	}
}

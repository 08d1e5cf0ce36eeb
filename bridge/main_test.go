package bridge

import (
	"bufio"
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/wsbridge/wsbridge/process/selfchild"
)

// childVar names the variable that makes the test binary a child: its value
// is a name in children, followed by arguments.
const childVar = "WSBRIDGE_TEST_CHILD"

// children are the programs that tests run: the test binary is its own child.
var children = map[string]func(args []string){
	// echo copies lines.
	"echo": func([]string) { io.Copy(os.Stdout, os.Stdin) },
	// exit N exits with status N.
	"exit": func(args []string) { os.Exit(number(args[0])) },
	// line SIZE… prints lines of these sizes and exits.
	"line": func(args []string) {
		out := bufio.NewWriter(os.Stdout)
		defer out.Flush()
		for _, a := range args {
			out.Write(bytes.Repeat([]byte("x"), number(a)))
			out.WriteByte('\n')
		}
	},
	// write FILE… writes what is in each file at once, and waits for a line in between.
	"write": func(args []string) {
		in := bufio.NewReader(os.Stdin)
		for i, a := range args {
			if i > 0 {
				in.ReadString('\n')
			}
			b, err := os.ReadFile(a)
			if err != nil {
				panic(err)
			}
			os.Stdout.Write(b)
		}
	},
	// count prints how many lines and bytes it read, on stderr, at the end of stdin.
	"count": func([]string) {
		b, _ := io.ReadAll(os.Stdin)
		fmt.Fprintf(os.Stderr, "%d lines, %d bytes\n", bytes.Count(b, []byte("\n")), len(b))
	},
	// lines N WIDTH waits for a line, prints N numbered ones and exits with status 5.
	"lines": func(args []string) {
		bufio.NewReader(os.Stdin).ReadString('\n')
		out := bufio.NewWriter(os.Stdout)
		for i := range number(args[0]) {
			fmt.Fprintf(out, "%*d\n", number(args[1]), i)
		}
		out.Flush()
		os.Exit(5)
	},
	// deaf never reads its input, ignores polite signals, and says when it is ready.
	"deaf": func([]string) {
		signal.Ignore(syscall.SIGINT, syscall.SIGTERM)
		fmt.Println("ready")
		time.Sleep(time.Hour)
	},
	// flood prints without end, and tells of each block on stderr.
	"flood": func([]string) {
		block := bytes.Repeat([]byte(strings.Repeat("y", 99)+"\n"), 500)
		for {
			os.Stderr.WriteString("another block\n")
			if _, err := os.Stdout.Write(block); err != nil {
				os.Exit(1)
			}
		}
	},
	// closein closes its input and then goes on printing, a line a message gets dropped for.
	"closein": func(args []string) {
		os.Stdin.Close()
		fmt.Println("closed")
		time.Sleep(time.Duration(number(args[0])) * time.Millisecond)
		fmt.Println("still here")
	},
	// closeout closes its output and waits for the end of its input.
	"closeout": func(args []string) {
		os.Stdout.Close()
		io.Copy(io.Discard, os.Stdin)
		os.Exit(number(args[0]))
	},
	// stderr SIZE writes one long line there, then a line to stdout.
	"stderr": func(args []string) {
		os.Stderr.Write(append(bytes.Repeat([]byte("e"), number(args[0])), '\n'))
		fmt.Println("done")
		io.Copy(io.Discard, os.Stdin)
	},
	// env prints the variables it is asked for.
	"env": func(args []string) {
		for _, name := range args {
			fmt.Println(os.Getenv(name))
		}
	},
	// tail fills its output pipe, says so and exits.
	"tail": func([]string) {
		bufio.NewReader(os.Stdin).ReadString('\n')
		os.Stdout.Write(bytes.Repeat([]byte("0123456789abcde\n"), 60<<6))
		fmt.Fprintln(os.Stderr, "all is said")
	},
	// say STEP… writes what follows a 1 or a 2 to stdout or stderr, closes
	// stdout for a 0 and waits for a line for anything else.
	"say": func(args []string) {
		in := bufio.NewReader(os.Stdin)
		for _, a := range args {
			switch a[0] {
			case '0':
				os.Stdout.Close()
			case '1':
				os.Stdout.WriteString(a[1:])
			case '2':
				os.Stderr.WriteString(a[1:])
			default:
				in.ReadString('\n')
			}
		}
	},
	// ask WORD prints the word and exits with status 42 if it comes back.
	"ask": func(args []string) {
		fmt.Println(args[0])
		if s, _ := bufio.NewReader(os.Stdin).ReadString('\n'); s == args[0]+"\n" {
			os.Exit(42)
		}
	},
	// suicide kills itself with the signal.
	"suicide": func(args []string) {
		p, _ := os.FindProcess(os.Getpid())
		p.Signal(syscall.Signal(number(args[0])))
		time.Sleep(time.Hour)
	},
}

func number(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		panic(err)
	}
	return n
}

// self is the program that runs children.
var self string

// child sets a Handler's command to one of children.
func child(h *Handler, name string, args ...string) *Handler {
	h.Command = append([]string{self, name}, args...)
	h.Env = append(h.Env, childVar+"=1", "GORACE=atexit_sleep_ms=0")
	return h
}

func TestMain(m *testing.M) {
	if os.Getenv(childVar) != "" {
		args := os.Args[1:]
		if len(args) == 0 { // started by the name of its file
			args = []string{strings.TrimSuffix(filepath.Base(os.Args[0]), ".exe")}
		}
		children[args[0]](args[1:])
		os.Exit(0)
	}
	flag.Parse()
	parallel := flag.Lookup("test.parallel")
	if flag.Lookup("test.fuzz").Value.String() == "" && parallel.Value.String() == fmt.Sprint(runtime.GOMAXPROCS(0)) { // by default
		parallel.Value.Set("8") // they wait, most of the time
	}
	// The goroutine that delivers signals, which fuzzing starts, never ends;
	// have it before counting.
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt)
	signal.Stop(signals)
	// What package net makes at its first lookup must not belong to the bubble
	// of one test.
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, _ = (&net.Resolver{PreferGo: true}).LookupAddr(ctx, "127.0.0.1")
	var remove func()
	self, remove = selfchild.Make()
	before := runtime.NumGoroutine()
	status := m.Run()
	remove()
	if status == 0 && flag.Lookup("test.fuzz").Value.String() == "" { // it waits for signals for good
		status = leaks(before)
	}
	os.Exit(status)
}

// leaks reports goroutines and processes that the tests have left.
func leaks(before int) int {
	deadline := time.Now().Add(10 * time.Second)
	for runtime.NumGoroutine() > before {
		if time.Now().After(deadline) {
			stacks := make([]byte, 1<<20)
			fmt.Fprintf(os.Stderr, "goroutines left behind:\n%s\n", stacks[:runtime.Stack(stacks, true)])
			return 1
		}
		time.Sleep(10 * time.Millisecond)
	}
	return leftChildren()
}

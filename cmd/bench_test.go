package cmd_test

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// BenchmarkPeers runs wsbridge, as it is built, and what else there is of its
// kind through the same scenarios:
//
//	go test ./cmd -run '^$' -bench Peers -count 6 | tee peers.txt
//	benchstat -row /scenario -col /program peers.txt
//
// What is not installed is left out, and said to be missing.
func BenchmarkPeers(b *testing.B) {
	programs := benchPrograms(b)
	for _, scenario := range benchScenarios(b) {
		b.Run("scenario="+scenario.name, func(b *testing.B) {
			for _, p := range programs {
				s := p.start(b, scenario.binary, scenario.command)
				b.Run("program="+p.name, func(b *testing.B) { scenario.run(b, s) })
				s.stop()
			}
		})
	}
}

// A benchProgram is a server. Its arguments are a port, which may be the end
// of the last one before it, what makes it serve bytes or share the command, and a
// command.
type benchProgram struct {
	name  string
	args  []string
	share []string // what makes it share the command; nil: it cannot
}

// benchPrograms builds or finds the programs, and prints which they are as
// benchmark configuration.
func benchPrograms(b *testing.B) (programs []benchProgram) {
	dir := b.TempDir()
	have := func(name, version string, args ...string) {
		fmt.Printf("%s: %s\n", name, version)
		p := benchProgram{name: name, args: args, share: []string{"--share"}}
		switch name {
		case "wsbridge":
			p.share = []string{"--share", "--slow=wait", "--maxclients=0"}
		case "websocketd":
			p.share = nil
		}
		programs = append(programs, p)
	}
	miss := func(name, what string) { fmt.Printf("%s: missing: %s\n", name, what) }
	fmt.Printf("cores: %d\n", runtime.NumCPU())

	wsbridge := filepath.Join(dir, "wsbridge")
	if out, err := exec.Command("go", "build", "-o", wsbridge, "..").CombinedOutput(); err != nil {
		b.Fatalf("go build: %v\n%s", err, out)
	}
	have("wsbridge", benchVersion(wsbridge, "--version"), wsbridge, "--loglevel=none", "--maxforks=0", "--port=")

	if path, err := exec.LookPath("websocketd"); err != nil {
		miss("websocketd", "apt-get install websocketd")
	} else {
		have("websocketd", benchVersion("dpkg-query", "-W", "-f", "${Version}", "websocketd"), path, "--loglevel=none", "--port=")
	}
	const nodeVersions = `console.log("Node", process.version, "ws", require("ws/package.json").version)`
	if version := benchVersion("node", "-e", nodeVersions); version == "" {
		miss("node", "Node, and the package ws: npm install ws, and NODE_PATH set to its node_modules")
	} else {
		have("node", version, "node", filepath.Join("testdata", "bench", "bridge.js"), "")
	}
	floor := filepath.Join(dir, "floor")
	if out, err := exec.Command("cc", "-O2", "-pthread", "-o", floor, filepath.Join("testdata", "bench", "floor.c"), "-lcrypto").CombinedOutput(); err != nil {
		miss("floor", "a C compiler and OpenSSL's headers: apt-get install gcc libssl-dev")
		b.Logf("cc: %v\n%s", err, out)
	} else {
		have("floor", benchVersion("cc", "-dumpfullversion"), floor, "")
	}
	return programs
}

// benchVersion is what a command prints, on one line; nothing if it fails.
func benchVersion(command ...string) string {
	out, err := exec.Command(command[0], command[1:]...).Output()
	if err != nil {
		return ""
	}
	return strings.Join(strings.Fields(string(out)), " ")
}

// A benchServer is a program that runs.
type benchServer struct {
	addr string
	pid  int
	stop func() // more than once does nothing
}

func (p benchProgram) start(b *testing.B, binary bool, command []string) *benchServer {
	b.Helper()
	var options []string
	if binary {
		options = []string{"--binary"}
	}
	return p.startWith(b, options, command)
}

func (p benchProgram) startWith(b *testing.B, options, command []string) *benchServer {
	b.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	addr := l.Addr().(*net.TCPAddr)
	l.Close()
	args := append([]string{}, p.args...)
	args[len(args)-1] += strconv.Itoa(addr.Port)
	cmd := exec.Command(args[0], slices.Concat(args[1:], options, command)...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	// The children, which may hold standard error, get what a broken pipe
	// brings; a server that was killed is not waited for longer than that.
	cmd.WaitDelay = 10 * time.Second
	ended, end := context.WithCancel(context.Background())
	go func() {
		defer end()
		_ = cmd.Wait()
	}()
	s := &benchServer{addr: addr.String(), pid: cmd.Process.Pid}
	s.stop = sync.OnceFunc(func() {
		_ = cmd.Process.Kill()
		<-ended.Done()
	})
	b.Cleanup(s.stop)
	for {
		c, err := net.Dial("tcp", s.addr)
		if err == nil {
			c.Close()
			return s
		}
		select {
		case <-ended.Done():
			b.Fatalf("%s has ended: %s", p.name, stderr.String())
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// dial opens a connection, which ends with the benchmark.
func (s *benchServer) dial(b *testing.B) *benchClient {
	b.Helper()
	c, err := benchDial(s.addr)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { c.Close() })
	return c
}

// open opens n connections to a command that answers, and waits until it has.
func (s *benchServer) open(b *testing.B, n int) []*benchClient {
	b.Helper()
	clients := make([]*benchClient, n)
	for i := range clients {
		clients[i] = s.dial(b)
		if _, err := clients[i].ask(benchQuestion); err != nil {
			b.Fatalf("connection %d of %d: %v", i+1, n, err)
		}
	}
	return clients
}

// resident is the server's resident set in bytes.
func (s *benchServer) resident(b *testing.B) int {
	b.Helper()
	out, err := exec.Command("ps", "-o", "rss=", "-p", strconv.Itoa(s.pid)).Output()
	if err != nil {
		b.Fatalf("ps: %v", err)
	}
	kib, err := strconv.Atoi(string(bytes.TrimSpace(out)))
	if err != nil {
		b.Fatalf("ps: %v", err)
	}
	return kib << 10
}

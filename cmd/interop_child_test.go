package cmd

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"testing"
	"time"
)

const (
	interopChildArg   = "interop-child"
	interopBurstLines = 20_000
)

// The test binary is its own child: no script to install, and the same on
// every system. This is an init and not a test, because the child's stdout
// must carry nothing of package testing's.
func init() {
	if len(os.Args) < 3 || os.Args[1] != interopChildArg {
		return
	}
	out := bufio.NewWriter(os.Stdout)
	switch os.Args[2] {
	case "echo":
		io.Copy(os.Stdout, os.Stdin)
	case "exit3":
		fmt.Println("bye")
		os.Exit(3)
	case "burst":
		for b := make([]byte, 1); b[0] != '\n'; {
			if _, err := os.Stdin.Read(b); err != nil {
				os.Exit(1)
			}
		}
		for i := range interopBurstLines {
			fmt.Fprintf(out, "line %d\n", i)
		}
		out.Flush()
	case "hold":
		// A byte on the connection tells the test that the line is
		// printed, and the connection's end that the child is gone. It
		// does not end by itself.
		conn, err := net.Dial("tcp", os.Args[3])
		if err != nil {
			os.Exit(1)
		}
		fmt.Println("ready")
		conn.Write([]byte{'.'})
		conn.Read(make([]byte, 1))
	}
	os.Exit(0)
}

// An interopListener is what the child "hold" connects to.
type interopListener struct {
	addr    string
	started chan struct{}
	ended   chan struct{}
}

func interopListen(t *testing.T) *interopListener {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := &interopListener{addr: ln.Addr().String(), started: make(chan struct{}), ended: make(chan struct{})}
	go func() {
		defer close(l.ended)
		conn, err := ln.Accept()
		if err != nil {
			return
		}
		t.Cleanup(func() { conn.Close() })
		b := make([]byte, 1)
		if _, err := conn.Read(b); err != nil {
			return
		}
		close(l.started)
		conn.Read(b)
	}()
	t.Cleanup(func() {
		ln.Close()
		<-l.ended
	})
	return l
}

func (l *interopListener) waitStart() error {
	select {
	case <-l.started:
		return nil
	case <-time.After(interopLimit):
		return errors.New("the child does not start")
	}
}

func (l *interopListener) waitEnd(t *testing.T) {
	t.Helper()
	select {
	case <-l.ended:
	case <-time.After(interopLimit):
		t.Error("the child is still running")
	}
}

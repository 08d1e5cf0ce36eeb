package process

import (
	"bufio"
	"fmt"
	"os"
	"syscall"
	"testing"
)

func init() {
	children["server"] = childServer
	children["flags"] = childFlags
}

func childFlags([]string) {
	for fd := range uintptr(3) {
		flags, _, _ := syscall.Syscall(syscall.SYS_FCNTL, fd, syscall.F_GETFL, 0)
		fmt.Println(flags&syscall.O_NONBLOCK != 0)
	}
}

// Programs expect a standard input and output that block.
func TestPipesBlock(t *testing.T) {
	p := start(t, command("flags"))
	if got, want := receive(t, collect(p.Stdout)), "false\nfalse\nfalse\n"; got != want {
		t.Errorf("non-blocking: got %q, want %q", got, want)
	}
}

// childServer has a child, and is killed.
func childServer([]string) {
	p, err := command("deaf").Start()
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	bufio.NewReader(p.Stdout).ReadString('\n')
	fmt.Println(p.Pid())
	select {}
}

func TestServerIsKilled(t *testing.T) {
	p := start(t, tested("server"))
	child := watch(t, atoi(readLine(t, bufio.NewReader(p.Stdout))))
	if !child.runs() {
		t.Fatal("there is no child")
	}
	if err := syscall.Kill(p.Pid(), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	child.expectGone(t)
	wait(t, p)
	if state := p.End(done); state != (State{Signal: syscall.SIGKILL}) {
		t.Error(state)
	}
}

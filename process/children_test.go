package process

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
)

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

// childFlood never stops writing, as much at a time as cat(1) does.
func childFlood([]string) {
	b := pattern(128 << 10)
	for {
		if _, err := os.Stdout.Write(b); err != nil {
			os.Exit(0)
		}
	}
}

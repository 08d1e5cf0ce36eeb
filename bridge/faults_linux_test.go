package bridge

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

func init() {
	childFaults = append(childFaults, linuxFaults...)

	// closeboth closes its input and its output.
	children["closeboth"] = func([]string) {
		os.Stdin.Close()
		os.Stdout.Close()
		time.Sleep(time.Hour)
	}
	// rock ignores every signal that can be ignored.
	children["rock"] = func([]string) {
		signal.Ignore()
		fmt.Println("ready")
		time.Sleep(time.Hour)
	}
	children["stop"] = func([]string) {
		fmt.Println("ready")
		syscall.Kill(syscall.Getpid(), syscall.SIGSTOP)
	}
	// leave WHERE HOW starts one that stays, prints its number and exits.
	children["leave"] = func(args []string) {
		stays := exec.Command(os.Args[0], "stay")
		stays.SysProcAttr = &syscall.SysProcAttr{Setsid: args[0] == "outside"}
		if args[1] == "holding" {
			stays.Stdout = os.Stdout
		}
		if err := stays.Start(); err != nil {
			panic(err)
		}
		fmt.Println(stays.Process.Pid)
	}
	children["stay"] = func([]string) { time.Sleep(time.Hour) }
	// splice moves its input to a socket that nobody reads, and then has the
	// lock of the pipe for ever.
	children["splice"] = func([]string) {
		signal.Ignore()
		ends, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
		fmt.Println("ready", err)
		for err == nil {
			_, err = syscall.Splice(0, nil, ends[0], nil, 64<<10, 0)
		}
	}
}

// linuxFaults are those whose traces are to be seen in /proc.
var linuxFaults = []fault{
	{
		name:   "closes its input and its output",
		inject: func(s *scene) { s.open("closeboth").wantClose(Ending{4130, "signal: interrupt"}) },
		ends:   childEnded("signal: interrupt"),
	}, {
		name: "ignores every signal",
		inject: func(s *scene) {
			p := s.open("rock")
			p.message()
			p.write(closing(1000, ""))
			p.wantClose(Ending{1000, ""})
		},
		ends: childEnded("signal: killed"),
	}, {
		name: "stops itself",
		inject: func(s *scene) {
			p := s.open("stop")
			p.message()
			s.waitStopped()
			p.write(closing(1000, ""))
			p.wantClose(Ending{1000, ""})
		},
		ends: childEnded("signal: killed"),
	}, {
		name:  "holds the lock of its input",
		slow:  true,
		setup: pingsOften, // one tells of the end of the client, while the socket is not read
		inject: func(s *scene) {
			p := s.open("splice")
			p.message()
			for range 1 << 10 {
				if _, err := p.Write(text(strings.Repeat("x", 1<<10))); err != nil {
					break // it answers no pings
				}
			}
		},
		ends: childEnded("signal: killed"),
	}, {
		name:   "leaves one in the group that holds its output",
		inject: func(s *scene) { s.leaves("inside&holding") },
		ends:   closedWith(1000),
	}, {
		name:   "leaves one in the group",
		inject: func(s *scene) { s.leaves("inside&apart") },
		ends:   closedWith(1000),
	}, {
		name:   "leaves one outside the group that holds its output",
		inject: func(s *scene) { s.kill(s.leaves("outside&holding")) },
		ends:   closedWith(1000),
	}, {
		name:   "leaves one outside the group",
		inject: func(s *scene) { s.kill(s.leaves("outside&apart")) },
		ends:   closedWith(1000),
	}, {
		name: "dies by each signal",
		setup: func(s *scene) {
			s.h.Command = []string{"/bin/sh", "-c", `case $QUERY_STRING in
				echo) exec cat ;;
				*) ulimit -c 0; kill -$QUERY_STRING $$ ;;
			esac`}
		},
		inject: func(s *scene) {
			for n := syscall.Signal(1); n <= 31; n++ {
				switch n {
				case syscall.SIGCHLD, syscall.SIGCONT, syscall.SIGURG, syscall.SIGWINCH:
				case syscall.SIGSTOP, syscall.SIGTSTP, syscall.SIGTTIN, syscall.SIGTTOU:
				default:
					s.open(fmt.Sprint(int(n))).wantClose(Ending{4128 + int(n), "signal: " + n.String()})
				}
			}
		},
		ends: closedWith(4159),
	}, {
		name:  "is deleted between two connections",
		setup: script,
		inject: func(s *scene) {
			path := s.h.Command[0]
			must(s, os.Rename(path, path+".away"))
			s.open("").wantClose(Ending{1011, "command not found"})
			must(s, os.Rename(path+".away", path))
			s.echoes()
		},
		ends: closedWith(1000),
	}, {
		name:  "loses its x bit between two connections",
		setup: script,
		inject: func(s *scene) {
			must(s, os.Chmod(s.h.Command[0], 0o644))
			s.open("").wantClose(Ending{1011, "command is not executable"})
			must(s, os.Chmod(s.h.Command[0], 0o755))
			s.echoes()
		},
		ends: closedWith(1000),
	},
}

func must(s *scene, err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

// script makes the command a file that a test may change.
func script(s *scene) {
	s.h.Command = []string{filepath.Join(s.TempDir(), "script")}
	must(s, os.WriteFile(s.h.Command[0], []byte("#!/bin/sh\nexec cat\n"), 0o755))
}

func (s *scene) echoes() {
	s.Helper()
	p := s.open("")
	p.write(text("again"))
	if got := p.message(); got != "again" {
		s.Errorf("got %q", got)
	}
	p.write(closing(1000, ""))
	p.wantClose(Ending{1000, ""})
}

// leaves runs a child that leaves one behind, whose number it returns.
func (s *scene) leaves(args string) (pid int) {
	s.Helper()
	p := s.open("leave&" + args)
	pid = number(p.message())
	s.Cleanup(func() {
		if marked(pid, s.mark) {
			syscall.Kill(pid, syscall.SIGKILL)
		}
	})
	_, end := p.closed()
	if end.Code != 1000 {
		s.Errorf("closed with %v", end)
	}
	s.log.wait(closedWith(1000))
	return pid
}

// kill ends a process that is none of the tree any more.
func (s *scene) kill(pid int) {
	s.Helper()
	if !marked(pid, s.mark) {
		s.Error("a process outside the group is gone")
		return
	}
	syscall.Kill(pid, syscall.SIGKILL)
}

// waitStopped waits until one of this process's children has stopped.
func (s *scene) waitStopped() {
	s.Helper()
	var states map[int]string
	until(s, func() bool {
		states = make(map[int]string)
		for _, pid := range pids() {
			if state, parent := stat(pid); parent == os.Getpid() {
				states[pid] = state
			}
		}
		return slices.Contains(slices.Collect(maps.Values(states)), "T")
	}, func() string {
		return fmt.Sprintf("a stopped child, but there are %v, and the log is\n%s", states, s.log)
	})
}

func openFiles() int {
	files, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		panic(err)
	}
	return len(files)
}

// elder are the processes that were there before, and have nothing to do with a scene.
// To look at each of them each time would take most of the time.
var elder = sync.OnceValue(func() map[int]bool {
	elder := make(map[int]bool)
	for _, pid := range pids() {
		elder[pid] = true
	}
	return elder
})

// processes counts this process's children, reaped or not, and those that
// have the mark in their environment.
func processes(mark string) (n int) {
	for _, pid := range pids() {
		if elder()[pid] {
			continue
		}
		if _, parent := stat(pid); parent == os.Getpid() || marked(pid, mark) {
			n++
		}
	}
	return n
}

func pids() (pids []int) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		panic(err)
	}
	for _, e := range entries {
		if pid, err := strconv.Atoi(e.Name()); err == nil {
			pids = append(pids, pid)
		}
	}
	return pids
}

func marked(pid int, mark string) bool {
	env, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid))
	return err == nil && bytes.Contains(env, []byte(mark+"\x00"))
}

// stat is the state of a process and its parent (proc(5)).
func stat(pid int) (state string, parent int) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return "", 0
	}
	fields := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:]))
	return fields[0], number(fields[1])
}

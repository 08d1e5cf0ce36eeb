package bridge

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
)

// left is what sessions must not leave behind.
type left struct{ goroutines, files, processes int }

func (l left) String() string {
	return fmt.Sprintf("%d goroutines, %d open files, %d processes", l.goroutines, l.files, l.processes)
}

func (l left) within(before left) bool {
	return l.goroutines <= before.goroutines && l.files <= before.files && l.processes == 0
}

// soakMark is a variable by which every process that a soak has started is
// known, whoever its parent is now.
func soakMark() string { return fmt.Sprintf("WSBRIDGE_SOAK_BY=%d", os.Getpid()) }

// countLeft counts. What the system does not tell of is 0; a child that was
// not reaped has no environment, and is found in another way.
func countLeft() left {
	l := left{goroutines: runtime.NumGoroutine()}
	for _, dir := range []string{"/proc/self/fd", "/dev/fd"} {
		if files, err := os.ReadDir(dir); err == nil {
			l.files = len(files)
			break
		}
	}
	environs, _ := filepath.Glob("/proc/[0-9]*/environ")
	for _, name := range environs {
		if env, err := os.ReadFile(name); err == nil && slices.Contains(strings.Split(string(env), "\x00"), soakMark()) {
			l.processes++
		}
	}
	return l
}

func residentBytes() uint64 {
	b, _ := os.ReadFile("/proc/self/statm")
	fields := strings.Fields(string(b))
	if len(fields) < 2 {
		return 0
	}
	pages, _ := strconv.ParseUint(fields[1], 10, 64)
	return pages * uint64(os.Getpagesize())
}

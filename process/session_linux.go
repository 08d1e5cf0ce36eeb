package process

import (
	"bytes"
	"os"
	"strconv"
	"syscall"
)

// signalSession sends sig to all process groups of a session. One that a process founds
// meanwhile is found by looking again, until there is no new one.
func signalSession(session int, sig syscall.Signal) {
	signalled := make(map[int]bool)
	for found := true; found; {
		found = false
		for _, group := range groupsOf(session) {
			if !signalled[group] {
				signalled[group], found = true, true
				_ = syscall.Kill(-group, sig)
			}
		}
	}
}

// groupsOf returns the process groups of a session that have a process that runs.
func groupsOf(session int) (groups []int) {
	proc, err := os.Open("/proc")
	if err != nil {
		return nil
	}
	defer proc.Close()
	names, _ := proc.Readdirnames(-1)
	for _, name := range names {
		if name[0] < '1' || name[0] > '9' {
			continue
		}
		stat, err := os.ReadFile("/proc/" + name + "/stat")
		if err != nil {
			continue // it is gone
		}
		// "PID (NAME) STATE PARENT GROUP SESSION", where the name may be anything
		// (proc_pid_stat(5)).
		fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
		if len(fields) < 4 || fields[0][0] == 'Z' || fields[0][0] == 'X' {
			continue
		}
		if id, err := strconv.Atoi(string(fields[3])); err != nil || id != session {
			continue
		}
		if group, err := strconv.Atoi(string(fields[2])); err == nil && group > 1 {
			groups = append(groups, group)
		}
	}
	return groups
}

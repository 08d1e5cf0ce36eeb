package process

import "golang.org/x/sys/unix"

// mountedNoExec reports whether nothing of the file system of a file can be executed.
func mountedNoExec(path string) bool {
	var fs unix.Statfs_t
	return unix.Statfs(path, &fs) == nil && fs.Flags&unix.MS_NOEXEC != 0 // ST_NOEXEC is the same number
}

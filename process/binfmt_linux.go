package process

import (
	"encoding/hex"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// binfmtDir is where the kernel lists the formats of programs that an administrator has
// added to its own, each with an interpreter (Documentation/admin-guide/binfmt-misc.rst).
const binfmtDir = "/proc/sys/fs/binfmt_misc"

// handledElsewhere reports whether a file that begins with head is of such a format.
func handledElsewhere(path string, head []byte) bool {
	entries, err := os.ReadDir(binfmtDir)
	if err != nil {
		return false
	}
	for _, e := range entries {
		if e.Name() == "register" || e.Name() == "status" {
			continue
		}
		b, err := os.ReadFile(filepath.Join(binfmtDir, e.Name()))
		if err == nil && ofFormat(string(b), path, head) {
			return true
		}
	}
	return false
}

// ofFormat reports whether a file is of the format that the kernel describes by entry.
func ofFormat(entry, path string, head []byte) bool {
	lines := strings.Split(entry, "\n")
	if lines[0] != "enabled" {
		return false
	}
	values := make(map[string]string)
	for _, line := range lines[1:] {
		name, value, _ := strings.Cut(line, " ")
		values[name] = value
	}
	if extension, ok := values["extension"]; ok {
		return filepath.Ext(path) == extension
	}
	magic, err := hex.DecodeString(values["magic"])
	offset, offsetErr := strconv.Atoi(values["offset"])
	if err != nil || offsetErr != nil || len(magic) == 0 || offset < 0 || offset+len(magic) > len(head) {
		return false
	}
	mask, err := hex.DecodeString(values["mask"])
	if err != nil || len(mask) != 0 && len(mask) != len(magic) {
		return false
	}
	for i, m := range magic {
		b := head[offset+i]
		if len(mask) > 0 {
			b, m = b&mask[i], m&mask[i]
		}
		if b != m {
			return false
		}
	}
	return true
}

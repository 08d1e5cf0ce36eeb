//go:build unix

package cmd

import (
	"errors"
	"io/fs"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/wsbridge/wsbridge/cmd/internal/listen"
)

func TestParseSocketPath(t *testing.T) {
	longest := strings.Repeat("x", len(syscall.RawSockaddrUnix{}.Path)-1)
	for path, want := range map[string]string{
		"s":           "",
		"./@s":        "",
		longest:       "",
		longest + "x": "the path of a socket may have at most",
		"":            "must be the path of a file",
		"@s":          "a file of this name is ./@s",
		"a\x00b":      "NUL",
	} {
		got, err := parseSocketPath(path)
		if want == "" {
			if err != nil || len(got) != 1 || got[0] != path {
				t.Errorf("%q: %q, %v", path, got, err)
			}
		} else if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", path, err, want)
		}
	}
	// The longest is not too long for the system.
	t.Chdir(socketDir(t))
	ln, err := listen.Unix(longest, 0o755)
	if err != nil {
		t.Fatal(err)
	}
	ln.Close()
	if _, err := os.Lstat(longest); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("it is still there: %v", err)
	}
}

package cmd

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Where the system gives no more watches, that is a warning, and the files are
// served all the same.
func TestTooManyWatches(t *testing.T) {
	t.Parallel()
	if out, err := exec.Command("unshare", "-Ur", "test", "-w", "/proc/sys/user/max_inotify_watches").CombinedOutput(); err != nil {
		t.Skipf("no user namespace, which has limits of its own (user_namespaces(7)): %v %s", err, out)
	}
	dir := t.TempDir()
	for _, sub := range []string{"a", "b", "c", "d"} {
		if err := os.MkdirAll(filepath.Join(dir, sub, "deep"), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "a.txt"), []byte("served"), 0o666); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ limit, warning, hint string }{
		{"watches", "not all changes will be seen", "max_user_watches"},
		{"instances", "changes will not be seen", "max_user_instances"},
	} {
		t.Run(test.limit, func(t *testing.T) {
			t.Parallel()
			s := &consoleServer{TB: t, prefix: []string{"unshare", "-Ur", "sh", "-c",
				`echo ` + map[string]string{"watches": "3", "instances": "0"}[test.limit] + ` >/proc/sys/user/max_inotify_` + test.limit + ` && exec "$@"`, "sh"},
				args: []string{"--livereload", "--staticdir=" + dir, "child", "echo"}}
			s.start("0")
			t.Cleanup(s.stop)
			warned := s.stderr.wait(regexp.MustCompile("level=warn.*"+test.warning+".*"+test.hint), s.done)
			if log := s.stderr.text(); warned == nil || strings.Count(log, "level=warn") != 1 {
				t.Errorf("the log:\n%s", log)
			}
			resp, err := http.Get(s.page + "a.txt")
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			if resp.StatusCode != 200 {
				t.Errorf("got %s", resp.Status)
			}
		})
	}
}

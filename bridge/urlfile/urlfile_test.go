package urlfile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// tree makes files with their names as text; a name that ends in a slash is a
// directory, one with an arrow a symbolic link, one with x: executable. It
// opens the directory "top" of it.
func tree(t testing.TB, names ...string) *os.Root {
	t.Helper()
	dir := t.TempDir()
	for _, name := range names {
		name, executable := strings.CutPrefix(name, "x:")
		name, target, isLink := strings.Cut(name, " -> ")
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		var err error
		switch {
		case strings.HasSuffix(name, "/"):
			err = os.MkdirAll(path, 0o777)
		case isLink && runtime.GOOS == "windows":
		case isLink:
			err = os.Symlink(strings.ReplaceAll(target, "DIR", dir), path)
		case executable:
			err = os.WriteFile(path, []byte(name), 0o777)
		default:
			err = os.WriteFile(path, []byte(name), 0o666)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	root, err := os.OpenRoot(filepath.Join(dir, "top"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { root.Close() })
	return root
}

// linked is a tree with every kind of link in it.
var linked = []string{
	"outside.txt", "top/a.txt", "top/b c", "top/sub/deep/d.txt", "top/sub/e.txt", "top/empty/",
	"top/.hidden", "top/.dir/f.txt", "top/sub/.h", "top/a.txt.d/g",
	"top/in -> a.txt", "top/down -> sub/deep/d.txt", "top/dir -> sub", "top/sub/up -> ../a.txt", "top/sub/deep/here -> ./d.txt",
	"top/twice -> in", "top/around -> sub/../sub/deep/../e.txt", "top/slash -> sub/", "top/self -> .", "top/sub/parent -> ..",
	"top/out -> ../outside.txt", "top/outdir -> ..", "top/absolute -> DIR/top/a.txt", "top/aroundout -> sub/../../outside.txt",
	"top/sub/back -> ../../top/a.txt", "top/loop -> loop", "top/ping -> pong", "top/pong -> ping", "top/dangling -> nothing",
	"top/todot -> .hidden", "top/todotdir -> .dir", "top/through -> .dir/f.txt", "top/sub/todot -> ../.hidden", "top/todot2 -> sub/.h",
	"top/fileslash -> a.txt/", "top/filedots -> a.txt/../a.txt",
}

func TestLookPath(t *testing.T) {
	root := tree(t, linked...)
	for _, test := range []struct {
		path             string
		name, real, rest string // empty: there is nothing
		link             bool
	}{
		{path: "/", name: ".", real: "."},
		{path: "/a.txt", name: "a.txt", real: "a.txt"},
		{path: "/b c", name: "b c", real: "b c"},
		{path: "/sub", name: "sub", real: "sub"},
		{path: "/sub/e.txt", name: "sub/e.txt", real: "sub/e.txt"},
		{path: "/sub/deep/d.txt", name: "sub/deep/d.txt", real: "sub/deep/d.txt"},
		{path: "/empty", name: "empty", real: "empty"},

		// What follows a file is passed on as it is.
		{path: "/a.txt/", name: "a.txt", real: "a.txt", rest: "/"},
		{path: "/a.txt/b/c", name: "a.txt", real: "a.txt", rest: "/b/c"},
		{path: "/a.txt//b//", name: "a.txt", real: "a.txt", rest: "//b//"},
		{path: "/a.txt/.b/c..d/...", name: "a.txt", real: "a.txt", rest: "/.b/c..d/..."},
		{path: `/a.txt/b\c:d`, name: "a.txt", real: "a.txt", rest: `/b\c:d`},
		{path: "/sub/e.txt/sub/e.txt", name: "sub/e.txt", real: "sub/e.txt", rest: "/sub/e.txt"},
		{path: "/a.txt.d/g/x", name: "a.txt.d/g", real: "a.txt.d/g", rest: "/x"},

		// What names nothing.
		{path: ""}, {path: "a.txt"}, {path: "*"},
		{path: "/none"}, {path: "/sub/none"}, {path: "/empty/none/x"}, {path: "/A.TXT "},
		{path: "//a.txt"}, {path: "/sub//e.txt"}, {path: "/sub/"}, {path: "//"}, {path: "/empty//"},
		{path: "/."}, {path: "/.."}, {path: "/./a.txt"}, {path: "/sub/../a.txt"}, {path: "/../top/a.txt"}, {path: "/../outside.txt"},
		{path: "/sub/./e.txt"}, {path: "/a.txt/.."}, {path: "/a.txt/../../outside.txt"}, {path: "/a.txt/."}, {path: "/a.txt/b/../c"},
		{path: "/a.txt\x00"}, {path: "/\x00a.txt"}, {path: "/a.txt/\x00"}, {path: "/a\x00.txt"},
		{path: "/.hidden"}, {path: "/.dir"}, {path: "/.dir/f.txt"}, {path: "/sub/.h"}, {path: "/.hidden/x"},
		{path: `/..\outside.txt`}, {path: `/sub\e.txt`}, {path: `\a.txt`}, {path: `/..%2foutside.txt`}, {path: "/%2e%2e/outside.txt"},
		{path: "/\xff"}, {path: "/\n"}, {path: "/" + strings.Repeat("x", 5000)}, {path: "/" + strings.Repeat("sub/", 5000)},
		{path: "/nul"}, {path: "/CON"}, {path: "/aux.txt"}, {path: "/a.txt::$DATA"}, {path: "/a.txt."}, {path: "/a.txt "}, {path: "/SUB~1/e.txt"}, {path: "/C:/a.txt"},

		{path: "/in", name: "in", real: "a.txt", link: true},
		{path: "/in/x", name: "in", real: "a.txt", rest: "/x", link: true},
		{path: "/down", name: "down", real: "sub/deep/d.txt", link: true},
		{path: "/dir", name: "dir", real: "sub", link: true},
		{path: "/dir/e.txt/x", name: "dir/e.txt", real: "sub/e.txt", rest: "/x", link: true},
		{path: "/dir/deep/here", name: "dir/deep/here", real: "sub/deep/d.txt", link: true},
		{path: "/sub/up", name: "sub/up", real: "a.txt", link: true},
		{path: "/twice", name: "twice", real: "a.txt", link: true},
		{path: "/around", name: "around", real: "sub/e.txt", link: true},
		{path: "/slash/e.txt", name: "slash/e.txt", real: "sub/e.txt", link: true},
		{path: "/self/self/a.txt", name: "self/self/a.txt", real: "a.txt", link: true},
		{path: "/sub/parent/sub/parent/a.txt", name: "sub/parent/sub/parent/a.txt", real: "a.txt", link: true},
		{path: strings.Repeat("/self", 41) + "/a.txt", link: true},
		{path: "/out", link: true}, {path: "/outdir/outside.txt", link: true}, {path: "/outdir/top/a.txt", link: true}, {path: "/outdir", link: true},
		{path: "/absolute", link: true}, {path: "/aroundout", link: true}, {path: "/sub/back", link: true}, {path: "/sub/parent/outdir/outside.txt", link: true},
		{path: "/loop", link: true}, {path: "/ping", link: true}, {path: "/dangling", link: true}, {path: "/loop/x", link: true},
		{path: "/todot", link: true}, {path: "/todotdir", link: true}, {path: "/todotdir/f.txt", link: true}, {path: "/through", link: true},
		{path: "/sub/todot", link: true}, {path: "/todot2", link: true}, {path: "/self/todot", link: true},
		{path: "/fileslash", link: true}, {path: "/filedots", link: true},
	} {
		if test.link && runtime.GOOS == "windows" {
			continue
		}
		found, err := LookPath(root, test.path)
		if test.name == "" {
			if !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("%.40q: found %+v, %v", test.path, found, err)
			}
			continue
		}
		if err != nil || found.Name != test.name || found.Real != test.real || found.Rest != test.rest {
			t.Errorf("%.40q: found %+v, %v", test.path, found, err)
			continue
		}
		if want, err := root.Lstat(found.Real); err != nil || !os.SameFile(found.Info, want) {
			t.Errorf("%.40q: the information is that of another file, %v", test.path, err)
		}
	}
}

// Below a root that is closed there is nothing.
func TestLookPathClosed(t *testing.T) {
	root := tree(t, "top/a.txt")
	root.Close()
	if found, err := LookPath(root, "/a.txt"); err == nil {
		t.Errorf("found %+v", found)
	}
}

// The rule for names on Windows is the same wherever it is tested.
func TestMisread(t *testing.T) {
	for _, name := range []string{
		"CON", "con", "Con", "PRN", "AUX", "NUL", "nul", "COM1", "com9", "COM0", "LPT1", "lpt9", "CONIN$", "conout$", "CLOCK$",
		"COM¹", "com²", "LPT³",
		"nul.txt", "aux.txt", "NUL.tar.gz", "con.html", "com1.js", "nul .txt", "NUL  .a", "con.",
		"nul:", "nul:x", "C:", "C:x", "file.txt::$DATA", "file.txt:stream", ":", "dir::$INDEX_ALLOCATION",
		"file.txt.", "file.txt ", "file.txt. .", "file.txt...", " ", "a ", "...", "..",
		`a\b`, `..\secret.txt`, `\`, "a*", "a?", "a<b", "a>b", `a"b`, "a|b",
		"GIT~1", "git~1", "PROGRA~1", "ENV~10", "FILE~1.TXT", "A1B2C3~9",
	} {
		if !misread(name) {
			t.Errorf("%q would be served", name)
		}
	}
	for _, name := range []string{
		"index.html", "file.txt", "a b.txt", " a", "CONSOLE", "console.html", "nullable", "null", "auxiliary.txt", "com", "lpt", "com10", "com1x",
		"COMA", "comé", "common.js", "icon", "my.nul", "a.con", "lpt.txt", "~", "a~", "~a", "a~b", "backup~", "été.html", "a-1", "a$", "a;b", "a%b",
	} {
		if misread(name) {
			t.Errorf("%q would not be served", name)
		}
	}
}

// Whatever is asked for, what is found lies below the root, is not hidden and
// has only one name.
func FuzzLookPath(f *testing.F) {
	for _, name := range linked {
		name, _, _ = strings.Cut(strings.TrimPrefix(name, "top"), " -> ")
		f.Add(name)
		f.Add(name + "/rest")
		f.Add("/self" + name)
	}
	for _, path := range []string{"", "/", "//", "/..", "/../outside.txt", "/sub/../../outside.txt", "/outdir/top/a.txt", "/a.txt\x00", `/sub\..\..\outside.txt`,
		"/a.txt/../b", "/sub//e.txt", "/a.txt//", "/nul", "/a.txt::$DATA", "/sub/parent/dir/up", "/\xff", "/. /a.txt", "/.../a.txt"} {
		f.Add(path)
	}
	root := tree(f, linked...)
	top, err := filepath.EvalSymlinks(root.Name())
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, path string) {
		found, err := LookPath(root, path)
		if err != nil {
			if !errors.Is(err, fs.ErrNotExist) {
				t.Error(err)
			}
			return
		}
		if name := "/" + strings.TrimPrefix(found.Name, "."); name+found.Rest != path {
			t.Errorf("found %+v", found)
		}
		if found.Rest != "" && found.Info.IsDir() || found.Info.Mode()&fs.ModeSymlink != 0 {
			t.Errorf("found %+v, %v", found, found.Info.Mode())
		}
		for _, name := range []string{found.Name, found.Real} {
			if name != "." && (!filepath.IsLocal(filepath.FromSlash(name)) || strings.HasPrefix(name, ".") || strings.Contains(name, "/.") || strings.ContainsRune(name, 0)) {
				t.Errorf("found %+v", found)
			}
			real, err := filepath.EvalSymlinks(filepath.Join(top, filepath.FromSlash(name)))
			if err != nil || real != filepath.Join(top, filepath.FromSlash(found.Real)) {
				t.Errorf("found %+v at %s, %v", found, real, err)
			}
		}
	})
}

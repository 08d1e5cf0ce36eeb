// Package urlfile finds the file below a directory that the path of a URL names.
package urlfile

import (
	"errors"
	"io/fs"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"unicode/utf8"
)

// Found is what LookPath has found.
type Found struct {
	// Name is the path of the file below the root, as it was asked for: with
	// slashes, and none at its beginning. "." is the root itself.
	Name string

	// Real is the path of the same file without symbolic links.
	Real string

	// Rest is what follows the name of a file. It is empty or begins with a slash.
	Rest string

	// Info tells of the file that Real names. It is never a symbolic link.
	Info fs.FileInfo
}

// LookURL is LookPath for the path of u. In the name of a file each slash is written as
// one, and not as %2F: that would be another name for it.
func LookURL(root *os.Root, u *url.URL) (Found, error) {
	found, err := LookPath(root, u.Path)
	if err != nil || u.RawPath == "" || found.Name == "." {
		return found, err
	}
	elements := strings.Split(strings.TrimPrefix(u.EscapedPath(), "/"), "/")
	n := min(len(elements), strings.Count(found.Name, "/")+1)
	if slices.ContainsFunc(elements[:n], hasEncodedSlash) {
		return Found{}, fs.ErrNotExist
	}
	return found, nil
}

func hasEncodedSlash(element string) bool { return strings.Contains(strings.ToUpper(element), "%2F") }

// LookPath finds what the path of a URL, decoded, names below root: the first
// file on its way, whatever kind of file that is, or the directory that all of
// it names.
//
// Nothing outside of root is found, whatever symbolic links say. Nor is what
// is not meant for strangers: dot files and what lies below them, also through
// a link, and on Windows names that mean something else than the file of that
// name, such as a device. A path with "." or ".." in it names nothing, nor does
// one with an empty element before the end of the file's name: each file has
// one name, so that a rule of a proxy for that name cannot be got around.
//
// The error is fs.ErrNotExist, unless the machine is in trouble or forbids to
// look: then it is the system's.
func LookPath(root *os.Root, urlPath string) (Found, error) {
	rest, ok := strings.CutPrefix(urlPath, "/")
	elements := strings.Split(rest, "/")
	if !ok || strings.ContainsRune(rest, 0) || slices.ContainsFunc(elements, isDots) {
		return Found{}, fs.ErrNotExist
	}
	if rest == "" {
		elements = nil
	}
	info, err := root.Stat(".")
	if err != nil {
		return Found{}, lookError(err)
	}
	w := walk{root: root, at: []step{{".", info}}}
	n := 0
	for n < len(elements) && w.here().info.IsDir() {
		if err := w.into(elements[n]); err != nil {
			return Found{}, lookError(err)
		}
		n++
	}
	found := Found{Name: path.Join(elements[:n]...), Real: w.here().name, Info: w.here().info}
	if n == 0 {
		found.Name = "."
	}
	if n < len(elements) {
		found.Rest = "/" + strings.Join(elements[n:], "/")
	}
	return found, nil
}

func isDots(element string) bool { return element == "." || element == ".." }

// A walk goes down a directory, one element of a path after the other.
type walk struct {
	root  *os.Root
	at    []step // from the root to where the walk is, all but the last directories
	links int
}

// A step is a file on the way, by its name below the root without links.
type step struct {
	name string
	info fs.FileInfo
}

func (w *walk) here() step { return w.at[len(w.at)-1] }

// into goes to an element of the directory that the walk is in, and on to
// where it points if it is a symbolic link.
func (w *walk) into(element string) error {
	if hidden(element) {
		return fs.ErrNotExist
	}
	name := path.Join(w.here().name, element)
	info, err := w.root.Lstat(name)
	if err != nil {
		return err
	}
	if info.Mode()&fs.ModeSymlink == 0 {
		w.at = append(w.at, step{name, info})
		return nil
	}
	target, err := w.root.Readlink(name)
	if err != nil {
		return err
	}
	return w.follow(filepath.ToSlash(target))
}

// maxLinks is how many symbolic links may be on the way to a file, as with
// Linux (path_resolution(7)).
const maxLinks = 40

// follow goes from the directory of a symbolic link to its target.
func (w *walk) follow(target string) error {
	w.links++
	if w.links > maxLinks || path.IsAbs(target) || filepath.VolumeName(filepath.FromSlash(target)) != "" {
		return fs.ErrNotExist
	}
	for element := range strings.SplitSeq(target, "/") {
		switch {
		case !w.here().info.IsDir():
			return fs.ErrNotExist
		case element == "" || element == ".":
		case element != "..":
			if err := w.into(element); err != nil {
				return err
			}
		case len(w.at) == 1:
			return fs.ErrNotExist // out of the root
		default:
			w.at = w.at[:len(w.at)-1]
		}
	}
	return nil
}

// hidden reports whether an element of a path is not to be looked up.
func hidden(element string) bool {
	return element == "" || element[0] == '.' || runtime.GOOS == "windows" && misread(element)
}

// misread reports whether Windows may read an element of a path as something
// other than the file of that name: a device (nul, aux.txt), a stream
// (a.txt::$DATA), the file without the dots and spaces at the end, or one whose
// short name this is (GIT~1 is .git).
func misread(element string) bool {
	if strings.ContainsAny(element, `\:*?"<>|`) || strings.TrimRight(element, ". ") != element {
		return true
	}
	device, _, _ := strings.Cut(strings.ToLower(element), ".")
	device = strings.TrimRight(device, " ")
	switch device {
	case "con", "prn", "aux", "nul", "conin$", "conout$", "clock$":
		return true
	}
	for _, port := range []string{"com", "lpt"} {
		if n, ok := strings.CutPrefix(device, port); ok && utf8.RuneCountInString(n) == 1 && strings.Contains("0123456789¹²³", n) {
			return true
		}
	}
	_, short, _ := strings.Cut(element, "~")
	return short != "" && short[0] >= '0' && short[0] <= '9'
}

// lookError turns every error except those of a machine in trouble into "not
// found": a path that leaves the directory, has a loop in it or is too long is
// the client's fault, not the server's.
func lookError(err error) error {
	for _, real := range []error{fs.ErrPermission, syscall.EMFILE, syscall.ENFILE, syscall.ENOMEM, syscall.EIO} {
		if errors.Is(err, real) {
			return err
		}
	}
	return fs.ErrNotExist
}

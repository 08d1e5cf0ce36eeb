package watch

import (
	"io/fs"
	"os"
)

// A State is that of the file that a name leads to, through all links, at one
// time. The zero value is that of a name that leads to none.
type State struct{ info fs.FileInfo }

// StateOf returns the present state of a file; one that cannot be looked at is
// taken for one that is not there.
func StateOf(name string) State {
	info, err := os.Stat(name)
	if err != nil {
		return State{}
	}
	return State{info}
}

// Exists reports whether there is a file.
func (a State) Exists() bool { return a.info != nil }

// IsPipe reports whether a file may be empty, or block, when it is read again.
// A shell's <(command) names such a file.
func (a State) IsPipe() bool {
	return a.info != nil && !a.info.Mode().IsRegular() && !a.info.IsDir()
}

// Same reports whether a file has not changed from one state to the other, as far
// as that can be seen.
func (a State) Same(b State) bool {
	if a.info == nil || b.info == nil {
		return a.info == nil && b.info == nil
	}
	if a.IsPipe() && b.IsPipe() {
		return true
	}
	return os.SameFile(a.info, b.info) && a.info.Size() == b.info.Size() && a.info.ModTime().Equal(b.info.ModTime())
}

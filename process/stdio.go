package process

import "os"

// A stdio is the standard input, output and error of a child: the files that
// it gets, and our ends of them.
type stdio struct {
	child [3]*os.File
	ours  [3]*os.File
}

// pipes makes a stdio of three pipes.
func pipes() (s stdio, err error) {
	for i, end := range [...]int{1, 0, 0} {
		if s.ours[i], s.child[i], err = newPipe(end); err != nil {
			closeAll(s.child[:i])
			closeAll(s.ours[:i])
			return stdio{}, err
		}
	}
	return s, nil
}

func closeAll(files []*os.File) {
	for _, f := range files {
		f.Close()
	}
}

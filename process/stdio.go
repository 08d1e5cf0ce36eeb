package process

import "os"

// Streams are how a child's standard input, output and error are made. Nil are three
// pipes.
type Streams interface {
	open() (stdio, error)
}

// A stdio is the standard input, output and error of a child: the files that
// it gets, and our ends of them.
type stdio struct {
	child    [3]*os.File
	ours     [3]*os.File
	terminal *os.File // our end of the child's controlling terminal; nil: it has none
}

// pipes makes a stdio of three pipes.
func pipes() (stdio, error) { return around(outputPipe) }

// around makes a stdio of pipes around a standard output.
func around(output func() (own, child *os.File, err error)) (s stdio, err error) {
	for i, open := range [...]func() (own, child *os.File, err error){inputPipe, output, outputPipe} {
		if s.ours[i], s.child[i], err = open(); err != nil {
			closeAll(s.child[:i])
			closeAll(s.ours[:i])
			return stdio{}, err
		}
	}
	return s, nil
}

func inputPipe() (own, child *os.File, err error)  { return newPipe(1) }
func outputPipe() (own, child *os.File, err error) { return newPipe(0) }

func closeAll(files []*os.File) {
	for _, f := range files {
		f.Close()
	}
}

//go:build !linux

package process

// WhenReadable calls f once, when there is something to read, if only the end,
// or when End is called; where the system cannot tell, at once. f must not
// wait, and nobody reads before it is called.
func (o *Output) WhenReadable(f func()) { f() }

func (o *Output) unwatch() {}

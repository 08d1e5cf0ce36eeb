package cmd

import (
	"bytes"
	"regexp"
	"sync"
	"time"
)

// watched keeps what is written to it and wakes those who wait for some text.
type watched struct {
	mu      sync.Mutex
	buf     bytes.Buffer
	changed chan struct{}
}

func newWatched() *watched { return &watched{changed: make(chan struct{})} }

func (w *watched) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	close(w.changed)
	w.changed = make(chan struct{})
	return w.buf.Write(p)
}

func (w *watched) text() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.buf.String()
}

// wait returns the first match of re, or nil if there is none until done or
// for too long.
func (w *watched) wait(re *regexp.Regexp, done <-chan struct{}) []string {
	tooLong := time.After(patience)
	for {
		w.mu.Lock()
		changed, m := w.changed, re.FindStringSubmatch(w.buf.String())
		w.mu.Unlock()
		if m != nil {
			return m
		}
		select {
		case <-changed:
		case <-done:
			return re.FindStringSubmatch(w.text())
		case <-tooLong:
			return nil
		}
	}
}

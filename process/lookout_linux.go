package process

import (
	"os"
	"sync"
	"syscall"
	"time"
)

// A lookout waits with one goroutine until any of many files can be read. It is for
// files on which little comes, such as standard errors. A goroutine for each file
// takes 3.9 KB (BenchmarkIdleOutput), and 3.3 of the 23 KiB of resident memory
// of an idle session. The one goroutine lives as long as there are such files.
type lookout struct {
	epoll *os.File // epoll(7), which is itself in the runtime's poller
	raw   syscall.RawConn

	mu      sync.Mutex
	waiting map[int32]func() // what to call, by file descriptor
	running bool
}

// theLookout is nil when the system has no file descriptor to spare for it.
var theLookout = sync.OnceValue(func() *lookout {
	fd, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	if err != nil {
		return nil
	}
	_ = syscall.SetNonblock(fd, true) // NewFile polls no other
	l := &lookout{epoll: os.NewFile(uintptr(fd), "epoll"), waiting: make(map[int32]func())}
	if l.epoll.SetReadDeadline(time.Time{}) != nil {
		l.epoll.Close()
		return nil
	}
	l.raw, _ = l.epoll.SyscallConn() // fails on a closed file only
	return l
})

// add has f called when fd can be read. It reports whether it will be.
func (l *lookout) add(fd int32, f func()) bool {
	if l == nil {
		return false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	// Once is enough; closing the file makes the system forget it.
	event := syscall.EpollEvent{Events: syscall.EPOLLIN | syscall.EPOLLRDHUP | syscall.EPOLLONESHOT, Fd: fd}
	added := false
	_ = l.raw.Control(func(epoll uintptr) {
		added = syscall.EpollCtl(int(epoll), syscall.EPOLL_CTL_ADD, int(fd), &event) == nil
	})
	if !added {
		return false
	}
	l.waiting[fd] = f
	if !l.running {
		l.running = true
		go l.run()
	}
	return true
}

// fire calls what waits for fd, if it still does. It does so under the lock:
// when fire returns it has been called, by whomever. An event that was meant
// for a file of the same number, closed since, calls it early, which is no harm.
func (l *lookout) fire(fd int32) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f := l.waiting[fd]
	if f == nil {
		return
	}
	delete(l.waiting, fd)
	f()
	if len(l.waiting) == 0 {
		_ = l.epoll.SetReadDeadline(time.Unix(0, 1)) // run may end
	}
}

// run looks out until nobody waits.
func (l *lookout) run() {
	for !l.idle() {
		_ = l.raw.Read(l.look) // its only error is the deadline
	}
}

func (l *lookout) idle() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	_ = l.epoll.SetReadDeadline(time.Time{})
	l.running = len(l.waiting) > 0
	return !l.running
}

// look fires for all files that can be read, and has run wait for more.
func (l *lookout) look(epoll uintptr) bool {
	var events [64]syscall.EpollEvent
	for {
		n, _ := syscall.EpollWait(int(epoll), events[:], 0)
		if n <= 0 {
			return false
		}
		for _, e := range events[:n] {
			l.fire(e.Fd)
		}
	}
}

// WhenReadable calls f once, when there is something to read, if only the end,
// or when End is called; where the system cannot tell, at once. f must not
// wait, and nobody reads before it is called.
func (o *Output) WhenReadable(f func()) {
	raw, err := o.f.SyscallConn()
	added := false
	if err == nil {
		_ = raw.Control(func(fd uintptr) {
			o.watched = int32(fd)
			added = theLookout().add(o.watched, f)
		})
	}
	if !added {
		o.watched = 0
		f()
	}
}

// unwatch calls what WhenReadable still has to call.
func (o *Output) unwatch() {
	if o.watched != 0 {
		theLookout().fire(o.watched)
	}
}

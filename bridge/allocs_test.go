package bridge

import (
	"bufio"
	"bytes"
	"runtime"
	"testing"
	"time"

	"github.com/wsbridge/wsbridge/process/selfchild"
)

// A message allocates nothing on its way to the child, and what the child makes of it
// nothing on its way back, whatever the framing: from socket to pipe to socket, with
// client and server in this process.
func TestAllocationsAMessage(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("this system cannot tell whether a pipe takes a message, so that a goroutine writes it")
	}
	payload := bytes.Repeat([]byte("x"), 100)
	fragments := appendFrame(appendFrame(nil, opText, payload[:50], true), finBit|opContinuation, payload[50:], true) // these are left to the library
	t.Run("framing=lines, in fragments, one at a time", func(t *testing.T) { testAllocations(t, framings[0], fragments, 1, 2000) })
	t.Run("framing=lines, in fragments, many at once", func(t *testing.T) { testAllocations(t, framings[0], fragments, 500, 50) })
	for _, f := range framings {
		t.Run("framing="+f.name+", one at a time", func(t *testing.T) { testAllocations(t, f, f.frame(100), 1, 2000) })
		t.Run("framing="+f.name+", many at once", func(t *testing.T) { testAllocations(t, f, f.frame(100), 500, 50) })
	}
}

// testAllocations sends a message that comes back with 100 bytes behind its channel.
func testAllocations(t *testing.T, f framingCase, frame []byte, atOnce, batches int) {
	p := connect(t, serve(t, child(&Handler{Framing: f.framing}, "echo")))
	in := bytes.Repeat(frame, atOnce)
	pass := func(batches int) {
		for range batches {
			p.write(in)
			for left := 100 * atOnce; left > 0; {
				left -= p.skip(f.channels)
			}
		}
	}
	pass(batches / 10)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	pass(batches)
	runtime.ReadMemStats(&after)
	// What the garbage collector took from the pools is made again,
	// and the runtime has allocations of its own.
	limit := 0.02
	if selfchild.Race() { // whose pools forget one thing in four
		borrowed := 2 / float64(atOnce)
		if f.framing == (JSON{}) {
			borrowed += 2 // encoding/json borrows for each message
		}
		limit += borrowed
	}
	messages := atOnce * batches
	allocations := float64(after.Mallocs-before.Mallocs) / float64(messages)
	if allocations > limit {
		t.Errorf("%.3f allocations a message of %d", allocations, messages)
	}
	t.Logf("%.5f allocations a message", allocations)
}

// skip reads a frame of a message that is whole, and returns how long its payload is
// without the channels' first byte. It allocates nothing.
func (p *peer) skip(channels int) int {
	head, err := p.r.Peek(2)
	if err != nil {
		p.t.Fatal(err)
	}
	first, n, size := head[0], int(head[1]), 2
	switch n {
	case 126:
		size += 2
	case 127:
		size += 8
	}
	if head, err = p.r.Peek(size); err != nil {
		p.t.Fatal(err)
	}
	if size > 2 {
		n = 0
		for _, b := range head[2:] {
			n = n<<8 | int(b)
		}
	}
	if _, err := p.r.Discard(size + n); err != nil || first != finBit|opText && first != finBit|opBinary {
		p.t.Fatalf("a frame that begins with %x, %v", first, err)
	}
	return n - channels
}

// An idle session holds no buffer and has small stacks. It takes 17 KB on
// linux/amd64, and what the first ones leave in the pools for all makes that 21 KB
// here. The limit is 1.3 times that: one buffer or one larger stack is too much.
// The race detector keeps more of each goroutine, and its pools forget buffers.
func TestMemoryOfAnIdleSession(t *testing.T) {
	n := int64(100)
	if selfchild.Race() {
		n = 30 // the children are slow to start
	}
	limit := int64(27 << 10)
	if selfchild.Race() {
		limit = 90 << 10 // of 71 KB
	}
	testMemory(t, child(&Handler{}, "echo"), n, limit)
}

// A client of a shared program has no process, and no more than a connection.
func TestMemoryOfAnIdleSeat(t *testing.T) {
	limit := int64(16 << 10)
	if selfchild.Race() {
		limit = 90 << 10 // of 68 KB
	}
	testMemory(t, shared(Share{}, "echo"), 200, limit)
}

// testMemory measures what a further connection takes when it is idle.
func testMemory(t *testing.T, h *Handler, n, limit int64) {
	srv := serve(t, h)
	settled := func() uint64 {
		var m runtime.MemStats
		for range 3 { // stacks shrink and pools are emptied by and by
			runtime.GC()
		}
		runtime.ReadMemStats(&m)
		return m.HeapAlloc + m.StackInuse
	}
	var peers []*peer
	open := func() {
		p := connect(t, srv)
		p.write(text("hello"))
		p.message()
		p.r = bufio.NewReaderSize(p, 0) // the client's part
		peers = append(peers, p)
	}
	open()
	before := settled()
	for range n {
		open()
	}
	var each int64
	for deadline := time.Now().Add(testLimit); ; time.Sleep(50 * time.Millisecond) {
		if each = (int64(settled()) - int64(before)) / n; each <= limit {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("a session takes %d bytes, over %d", each, limit)
		}
	}
	t.Logf("a session takes %d bytes", each)
	runtime.KeepAlive(peers)
}

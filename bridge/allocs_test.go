package bridge

import (
	"bufio"
	"bytes"
	"io"
	"runtime"
	"testing"
	"time"

	"github.com/wsbridge/wsbridge/process/selfchild"
)

// A message allocates nothing on its way to the child, and a line nothing on
// its way back: from socket to pipe to socket, with client and server in this
// process.
func TestAllocationsAMessage(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("this system cannot tell whether a pipe takes a message, so that a goroutine writes it")
	}
	payload := bytes.Repeat([]byte("x"), 100)
	whole := appendFrame(nil, finBit|opText, payload, true)
	fragments := appendFrame(appendFrame(nil, opText, payload[:50], true), finBit|opContinuation, payload[50:], true)
	for _, test := range []struct {
		name    string
		frame   []byte
		atOnce  int
		batches int
	}{
		{"one at a time", whole, 1, 2000},
		{"many at once", whole, 500, 50},
		{"in fragments, one at a time", fragments, 1, 2000}, // these are left to the library
		{"in fragments, many at once", fragments, 500, 50},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := connect(t, serve(t, child(&Handler{}, "echo")))
			in := bytes.Repeat(test.frame, test.atOnce)
			want := bytes.Repeat(appendFrame(nil, finBit|opText, payload, false), test.atOnce)
			got := make([]byte, len(want))
			pass := func(batches int) {
				for range batches {
					p.write(in)
					if _, err := io.ReadFull(p.r, got); err != nil {
						t.Fatal(err)
					}
				}
			}
			pass(test.batches / 10)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			pass(test.batches)
			runtime.ReadMemStats(&after)
			if !bytes.Equal(got, want) {
				t.Fatalf("got %.200q", got)
			}
			// What the garbage collector took from the pools is made again,
			// and the runtime has allocations of its own.
			limit := 0.02
			if selfchild.Race() {
				limit += 2 / float64(test.atOnce) // the race detector's pools forget one buffer in four
			}
			messages := test.atOnce * test.batches
			allocations := float64(after.Mallocs-before.Mallocs) / float64(messages)
			if allocations > limit {
				t.Errorf("%.3f allocations a message of %d", allocations, messages)
			}
			t.Logf("%.5f allocations a message", allocations)
		})
	}
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

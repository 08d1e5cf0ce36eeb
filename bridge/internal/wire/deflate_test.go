package wire

import (
	"bytes"
	"compress/flate"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"testing"
)

// deflated is p as the payload of a compressed message (RFC 7692, section
// 7.2.1), by the standard library at another level than ours.
func deflated(p string) []byte {
	var b bytes.Buffer
	w, err := flate.NewWriter(&b, flate.BestCompression)
	if err != nil {
		panic(err)
	}
	io.WriteString(w, p)
	w.Flush()
	return bytes.TrimSuffix(b.Bytes(), deflateTail)
}

// inflated is the payload of a compressed message as it was.
func inflated(p []byte) (string, error) {
	b, err := io.ReadAll(flate.NewReader(io.MultiReader(bytes.NewReader(p), bytes.NewReader(deflateTail))))
	if errors.Is(err, io.ErrUnexpectedEOF) {
		err = nil // a message has no last block
	}
	return string(b), err
}

// Whatever the pieces are, what is inflated is what there was.
func FuzzDeflation(f *testing.F) {
	f.Add([]byte("Hello"), []byte{2}, true)
	f.Add(bytes.Repeat([]byte("0123456789"), 200), []byte{0, 255, 100}, false)
	f.Fuzz(func(t *testing.T, p, cuts []byte, masked bool) {
		batch := &Batch{masked: masked, compress: true}
		batch.Begin(func() []byte { return nil })
		const messages = 2 // the second must not suffer from the first
		for range messages {
			rest := p
			for _, cut := range cuts {
				n := min(int(cut)*8, len(rest))
				batch.Append(Text, rest[:n], false)
				rest = rest[n:]
			}
			batch.Append(Text, rest, true)
		}
		if batch.d != nil || batch.IsOpen() {
			t.Fatal("a deflater is kept")
		}
		if batch.messages != messages || batch.bytes != messages*len(p) {
			t.Errorf("%d messages of %d bytes are counted", batch.messages, batch.bytes)
		}
		frames := framesOf(t, batch.frames)
		for range messages {
			var payload []byte
			compressed := false
			for i := 0; ; i++ {
				f := frames[0]
				frames = frames[1:]
				if f.masked != masked || i > 0 && f.first&^finBit != opContinuation || i == 0 && f.op() != opText {
					t.Fatalf("frame %d begins with %x, masked %t", i, f.first, f.masked)
				}
				if i == 0 {
					compressed = f.rsv1()
					if want := len(cuts) > 0 || len(p) >= minDeflate && len(f.payload) < len(p); compressed != want {
						t.Errorf("compressed %t, want %t", compressed, want)
					}
				}
				payload = append(payload, f.payload...)
				if f.fin() {
					break
				}
			}
			got := string(payload)
			if compressed {
				var err error
				if got, err = inflated(payload); err != nil {
					t.Fatal(err)
				}
			}
			if got != string(p) {
				t.Errorf("%q became %q", p, got)
			}
		}
		if len(frames) > 0 {
			t.Errorf("%d frames too many", len(frames))
		}
	})
}

// What it costs to send a message, and to read one.
func BenchmarkDeflation(b *testing.B) {
	for _, size := range []int{minDeflate, 1 << 10, 4 << 10, 64 << 10} {
		line := jsonLine(size)
		for _, on := range []bool{false, true} {
			b.Run(fmt.Sprintf("%d bytes, %t", size, on), func(b *testing.B) {
				batch := &Batch{compress: on}
				room := make([]byte, 0, 2*size)
				sent := 0
				b.SetBytes(int64(size))
				for b.Loop() {
					batch.Begin(func() []byte { return room })
					batch.Append(Text, line, true)
					sent = len(batch.frames)
					batch.reset()
				}
				b.ReportMetric(float64(sent)/float64(size), "size")
			})
		}
	}
}

func BenchmarkInflate(b *testing.B) {
	for _, size := range []int{minDeflate, 1 << 10, 4 << 10, 64 << 10} {
		payload := deflated(string(jsonLine(size)))
		into := make([]byte, 2*size)
		b.Run(fmt.Sprint(size, " bytes"), func(b *testing.B) {
			b.SetBytes(int64(size))
			r := bytes.NewReader(nil)
			for b.Loop() {
				r.Reset(payload)
				f := newInflater(r)
				if _, err := io.ReadFull(f, into); err != io.ErrUnexpectedEOF {
					b.Fatal(err)
				}
				f.put()
			}
		})
	}
}

// jsonLine is a line such as dashboards get.
func jsonLine(size int) []byte {
	r := rand.New(rand.NewPCG(7, 7))
	line := []byte(`{"time":"2026-01-02T15:04:05.678Z","cpus":[`)
	for len(line) < size {
		line = fmt.Appendf(line, `{"user":%.2f,"system":%.2f,"idle":%.2f},`, 100*r.Float64(), 10*r.Float64(), 100*r.Float64())
	}
	return line[:size]
}

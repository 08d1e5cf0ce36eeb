package wire

import (
	"bytes"
	"testing"
)

// What it costs to pass messages of 100 bytes through a log to one cursor, in
// batches as a full pipe brings them.
func BenchmarkLog(b *testing.B) {
	for _, n := range []int{1, 600} {
		b.Run(map[int]string{1: "batch=1", 600: "batch=600"}[n], func(b *testing.B) {
			l := NewLog(1<<20, UntilAcknowledged, nil)
			c, err := l.NewCursor(CursorOptions{From: 1})
			if err != nil {
				b.Fatal(err)
			}
			line := bytes.Repeat([]byte("x"), 99)
			in, out := new(Batch), new(Batch)
			ctx := b.Context()
			b.ReportAllocs()
			for b.Loop() {
				in.Begin(GetLarge)
				for range n {
					in.Append(Text, line, true)
				}
				if l.Send(in) != nil || c.Next(ctx, out) != nil {
					b.Fatal("the log has ended")
				}
				in.End()
				out.reset()
				if c.WantsAcknowledgement() {
					l.Acknowledge(c.Number())
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/message")
		})
	}
}

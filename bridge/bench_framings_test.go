package bridge

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/wsbridge/wsbridge/bridge/internal/wire"
)

// A framingCase is a framing with what the two ends send in it.
type framingCase struct {
	name     string
	framing  Framing
	op       byte
	channels int                         // bytes that name a channel
	written  func(payload string) string // what a program writes for a message
}

var framings = []framingCase{
	{"lines", Lines{}, opText, 0, func(p string) string { return p + "\n" }},
	{"bytes", Chunks{}, opBinary, 0, func(p string) string { return p }},
	{"nul", Nul{}, opText, 0, func(p string) string { return p + "\x00" }},
	{"json", JSON{}, opText, 0, func(p string) string { return p + "\n" }},
	{"lsp", LSP{}, opText, 0, lspBody},
	{"channels", Channels{}, opBinary, 1, func(p string) string { return p }},
}

// payloadOf is a payload of so many bytes, which is JSON for all of them, as the cost of
// one that is not compact would be that of the peer's choice.
func payloadOf(size int) string {
	const begin, end = `{"jsonrpc":"2.0","id":1,"method":"textDocument/hover","params":{"text":"`, `"}}`
	return begin + strings.Repeat("x", size-len(begin)-len(end)) + end
}

// frame is a client's message for the program's standard input.
func (f framingCase) frame(size int) []byte {
	return appendFrame(nil, finBit|f.op, append(make([]byte, f.channels), payloadOf(size)...), true)
}

// BenchmarkFramings compares what a message costs in each framing. Out, a read of bytes
// and of channels is one message, however much it brings.
func BenchmarkFramings(b *testing.B) {
	for _, size := range []int{100, 8000} {
		for _, f := range framings {
			for _, n := range []int{1, 64 << 10 / size} {
				b.Run(fmt.Sprintf("way=in/size=%d/read=%d/framing=%s", size, n, f.name), func(b *testing.B) { f.benchmarkIn(b, size, n) })
				if records := f.written("") != ""; n == 1 || records {
					b.Run(fmt.Sprintf("way=out/size=%d/read=%d/framing=%s", size, n, f.name), func(b *testing.B) { f.benchmarkOut(b, size, n) })
				}
			}
		}
	}
}

func (f framingCase) benchmarkIn(b *testing.B, size, n int) {
	from := &loopReader{again: b.Loop, block: bytes.Repeat(f.frame(size), n)}
	s := accepted(b, f.framing, wire.Options{MaxMessageSize: 1 << 20}, &discardConn{from: from}, nil, nil, discard{})
	b.SetBytes(int64(n * size))
	b.ReportAllocs()
	receiveAll(s)
	perMessage(b, n)
}

func (f framingCase) benchmarkOut(b *testing.B, size, n int) {
	from := &loopReader{again: b.Loop, block: bytes.Repeat([]byte(f.written(payloadOf(size))), n)}
	s := accepted(b, f.framing, wire.Options{}, &discardConn{}, nil, from, discard{})
	b.SetBytes(int64(n * size))
	b.ReportAllocs()
	if readErr, writeErr := s.deliver(); readErr != io.EOF || writeErr != nil {
		b.Fatal(readErr, writeErr)
	}
	perMessage(b, n)
	s.end(nil)
}

package wire

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
)

// A situation is what a frameChecker must be in for a case to hold: one letter
// for each condition, and all those that it does not name are free.
//
//	c  the peer is a client       s  the peer is a server
//	o  a message is open          n  none is
//	z  messages are compressed    p  they are not
type situation string

func (s situation) holds(c frameChecker) bool {
	for letter, is := range map[string]bool{
		"c": !c.fromServer, "s": c.fromServer, "o": c.open, "n": !c.open, "z": c.compress, "p": !c.compress,
	} {
		if strings.Contains(string(s), letter) && !is {
			return false
		}
	}
	return true
}

// Every rule, broken by a frame of which only as much is given as it takes to
// tell. With one byte less, nothing is wrong yet.
func TestFrameChecker(t *testing.T) {
	for _, test := range []struct {
		when   situation
		frame  string
		reason string
	}{
		{"", "\xa1", "reserved bits are set"},
		{"", "\x91", "reserved bits are set"},
		{"", "\xf1", "reserved bits are set"},
		{"", "\xc9", "reserved bits are set"}, // a compressed ping
		{"", "\xc8", "reserved bits are set"},
		{"", "\xc0", "reserved bits are set"}, // or continuation
		{"p", "\xc1", "reserved bits are set"},
		{"p", "\xc2", "reserved bits are set"},
		{"", "\x83", "unknown opcode"},
		{"", "\x87", "unknown opcode"},
		{"", "\x03", "unknown opcode"},
		{"", "\x8b", "unknown opcode"},
		{"", "\x8f", "unknown opcode"},
		{"", "\x0b", "unknown opcode"},
		{"", "\x09", "control frame in fragments"},
		{"", "\x0a", "control frame in fragments"},
		{"", "\x08", "control frame in fragments"},
		{"o", "\x81", "new message within another"},
		{"o", "\x02", "new message within another"},
		{"oz", "\xc2", "new message within another"},
		{"n", "\x80", "continuation of no message"},
		{"n", "\x00", "continuation of no message"},

		{"cn", "\x81\x05", "frame is not masked"},
		{"c", "\x89\x00", "frame is not masked"},
		{"co", "\x80\x7f", "frame is not masked"},
		{"sn", "\x81\x85", "masked frame from a server"},
		{"s", "\x88\x80", "masked frame from a server"},
		{"c", "\x89\xfe", "control frame over 125 bytes"},
		{"c", "\x8a\xff", "control frame over 125 bytes"},
		{"s", "\x88\x7e", "control frame over 125 bytes"},

		{"cn", "\x81\xfe\x00\x7d", "length in more bytes than it needs"},
		{"cnz", "\xc1\xfe\x00\x00", "length in more bytes than it needs"},
		{"so", "\x80\x7e\x00\x7d", "length in more bytes than it needs"},
		{"cn", "\x82\xff\x00\x00\x00\x00\x00\x00", "length in more bytes than it needs"}, // whatever two follow
		{"sn", "\x82\x7f\x00\x00\x00\x00\x00\x00", "length in more bytes than it needs"},
		{"cn", "\x82\xff\x80", "frame too long"},
		{"sn", "\x82\x7f\xff", "frame too long"},

		// What is right.
		{"cn", "\x81\x85....Hello", ""},
		{"sn", "\x81\x05Hello", ""},
		{"sn", "\x01\x05Hello", ""},
		{"cnz", "\xc1\x80....", ""},
		{"cnz", "\x42\x80....", ""},
		{"co", "\x00\x80....", ""},
		{"co", "\x80\x80....", ""},
		{"c", "\x89\xfd....", ""},
		{"c", "\x8a\xfd....", ""},
		{"c", "\x88\x80....", ""},
		{"s", "\x88\x7d", ""},
		{"cn", "\x81\xfe\x00\x7e....", ""},
		{"sn", "\x81\x7e\x01\x00", ""},
		{"cn", "\x81\xff\x00\x00\x00\x00\x00\x01\x00\x00....", ""},
		{"sn", "\x81\x7f\x7f\xff\xff\xff\xff\xff\xff\xff", ""},
	} {
		for i := range 8 {
			c := frameChecker{fromServer: i&1 != 0, compress: i&2 != 0, open: i&4 != 0}
			if !test.when.holds(c) {
				continue
			}
			for n := range len(test.frame) + 1 {
				var want error
				if n == len(test.frame) && test.reason != "" {
					want = Ending{codeProtocolError, test.reason}
				}
				if got := c.check([]byte(test.frame[:n])); got != want {
					t.Errorf("%+v: % x: %v, want %v", c, test.frame[:n], got, want)
				}
			}
		}
	}
}

// A message is open from its first frame to its last, whatever control frames
// come between.
func TestFrameCheckerFollows(t *testing.T) {
	var c frameChecker
	for i, test := range []struct {
		first byte
		open  bool
	}{
		{finBit | opText, false}, {finBit | opPing, false}, {opBinary, true}, {finBit | opPong, true}, {opContinuation, true},
		{finBit | opPing, true}, {finBit | opContinuation, false}, {opText, true}, {finBit | opContinuation, false}, {finBit | opClose, false},
	} {
		frame := masked(test.first, "")
		if err := c.check(frame); err != nil {
			t.Fatalf("frame %d: %v", i, err)
		}
		if c.next(parseHeader(frame)); c.open != test.open {
			t.Errorf("after frame %d a message is open: %t", i, c.open)
		}
	}
}

func TestCheckClose(t *testing.T) {
	const badCode = "close frame with a code that may not be sent"
	long := strings.Repeat("x", maxReason)
	for _, test := range []struct {
		payload string
		want    Ending // none: it is right
	}{
		{"", Ending{}},
		{"\x03", violation("close frame with half a code")},
		{string(closePayload(1000, "")), Ending{}},
		{string(closePayload(1000, "gr\u00fc\u00dfe")), Ending{}},
		{string(closePayload(1000, long)), Ending{}},
		{string(closePayload(1000, "\xff")), reasonNotUTF8},
		{string(closePayload(1000, "half a rune: \xe2\x82")), reasonNotUTF8},
		{string(closePayload(1000, "a surrogate: \xed\xa0\x80")), reasonNotUTF8},
		{string(closePayload(0, "")), violation(badCode)},
		{string(closePayload(999, "")), violation(badCode)},
		{string(closePayload(1004, "")), violation(badCode)},
		{string(closePayload(1005, "")), violation(badCode)},
		{string(closePayload(1006, "")), violation(badCode)},
		{string(closePayload(1015, "")), violation(badCode)},
		{string(closePayload(1016, "")), violation(badCode)},
		{string(closePayload(2000, "")), violation(badCode)},
		{string(closePayload(2999, "")), violation(badCode)},
		{string(closePayload(5000, "")), violation(badCode)},
		{string(closePayload(65535, "\xff")), violation(badCode)}, // the code comes first
	} {
		got := checkClose([]byte(test.payload))
		if got == nil {
			got = Ending{}
		}
		if got != error(test.want) {
			t.Errorf("%.30q: %v, want %v", test.payload, got, test.want)
		}
	}
	for code := range 1 << 16 {
		may := code >= 1000 && code <= 1003 || code >= 1007 && code <= 1014 || code >= 3000 && code <= 4999
		if err := checkClose(closePayload(code, "")); (err == nil) != may {
			t.Errorf("code %d: %v", code, err)
		}
	}
}

// What is wrong is told in a close frame, in our words, and not before it can be
// told or later: byte by byte, nothing is left unread that was not needed.
func TestViolationsAreTold(t *testing.T) {
	for _, test := range []struct {
		name string
		sent string
		want Ending
	}{
		{"reserved bits", "\xa1", violation("reserved bits are set")},
		{"an opcode", "\x83", violation("unknown opcode")},
		{"a ping in fragments", "\x09", violation("control frame in fragments")},
		{"a long ping", "\x89\xfe", violation("control frame over 125 bytes")},
		{"a continuation", "\x80", violation("continuation of no message")},
		{"a message in another", string(masked(opText, "x")) + "\x81", violation("new message within another")},
		{"no mask", "\x81\x05", violation("frame is not masked")},
		{"no mask for a ping", "\x89\x05", violation("frame is not masked")},
		{"125 in two bytes", "\x81\xfe\x00\x7d", violation("length in more bytes than it needs")},
		{"few bytes in eight", "\x81\xff\x00\x00\x00\x00\x00\x00", violation("length in more bytes than it needs")},
		{"a length with the top bit", "\x81\xff\x80", violation("frame too long")},
		{"half a code", string(masked(finBit|opClose, "\x03")), violation("close frame with half a code")},
		{"a code", string(closing(1005, "")), violation("close frame with a code that may not be sent")},
		{"a reason", string(closing(1000, "\xff")), reasonNotUTF8},
		{"not UTF-8", string(text("\xff")), NotUTF8},
		{"half a rune", string(text("\xe2\x82")), NotUTF8},
		{"too many bytes", string(text(strings.Repeat("x", 101))), TooBig(100)},
		{"not compressed", string(masked(rsv1Bit|finBit|opText, "\xff\xff\xff\xff")), corrupt},
	} {
		for _, before := range []string{"", string(text("before"))} {
			c, p := newPeer(t, Options{MaxMessageSize: 100, Compress: test.want == corrupt})
			in := receive(c)
			for _, b := range []byte(before + test.sent) {
				p.write([]byte{b})
			}
			go func() {
				<-in.done
				c.Leave()
				c.Stop()
				if end, ok := in.err.(Ending); ok {
					c.Close(end, closeLimit)
				}
			}()
			f := p.next()
			if f.first != finBit|opClose || f.ending() != test.want {
				t.Errorf("%s: told %#x %v, want %v", test.name, f.first, f.ending(), test.want)
			}
			p.Close()
			in.ends(t, test.want)
			if before != "" && fmt.Sprint(in.messages()) != "[before]" {
				t.Errorf("%s: the messages before it are %q", test.name, in.messages())
			}
			if bytes.Contains(f.payload, []byte("websocket")) || bytes.Contains(f.payload, []byte("received ")) {
				t.Errorf("%s: the library's words: %q", test.name, f.payload)
			}
		}
	}
}

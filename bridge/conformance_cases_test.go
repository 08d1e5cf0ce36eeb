package bridge

import (
	"fmt"
	"strings"
)

// Frames as a client sends them.

func masked(first byte, payload string) []byte {
	return appendFrame(nil, first, []byte(payload), true)
}

// message is a message in as many fragments as it has parts.
func message(op byte, parts ...string) (frames [][]byte) {
	for i, part := range parts {
		if i == len(parts)-1 {
			op |= finBit
		}
		frames = append(frames, masked(op, part))
		op = opContinuation
	}
	return frames
}

func textMessage(parts ...string) [][]byte { return message(opText, parts...) }

func frames(groups ...[][]byte) (all [][]byte) {
	for _, g := range groups {
		all = append(all, g...)
	}
	return all
}

func one(frame []byte) [][]byte { return [][]byte{frame} }

// cut cuts a payload in parts of n octets.
func cut(payload string, n int) (parts []string) {
	for len(payload) > n {
		parts = append(parts, payload[:n])
		payload = payload[n:]
	}
	return append(parts, payload)
}

func echo(s string) reply { return reply{opText, s} }
func pong(s string) reply { return reply{opPong, s} }

// echoCase is a message that comes back: as text in text mode, as binary in
// binary mode.
func echoCase(id string, framing Framing, payload string, part int) wireCase {
	op := byte(opText)
	if framing == (Chunks{}) {
		op = opBinary
	}
	c := wireCase{id: id, framing: framing, frames: message(op, cut(payload, part)...), want: []reply{{op, payload}}}
	if framing == (Chunks{}) && payload == "" {
		c.want, c.note = nil, "no bytes are no message for a child"
	}
	return c
}

// filler is a payload of n octets: text in text mode, anything in binary mode.
func filler(framing Framing, n int) string {
	piece := "Ab0*<~é€😀 " // 16 octets
	if framing == (Chunks{}) {
		piece = "\x00\xff\n\x80\r\n\xed\xa0\x80\n\nabcde"
	}
	return (strings.Repeat(piece, n/len(piece)) + "................")[:n]
}

// Case 1: messages of all sizes at which a header has an edge.
func framingCases() (cases []wireCase) {
	for i, framing := range []Framing{nil, Chunks{}} {
		for k, size := range []int{0, 125, 126, 127, 128, 65535, 65536, 65536} {
			c := echoCase(fmt.Sprintf("1.%d.%d", i+1, k+1), framing, filler(framing, size), size)
			if k == 7 {
				c.chop = 997
			}
			cases = append(cases, c)
			if k < 7 {
				c.id, c.chop = c.id+" octet by octet", 1
				cases = append(cases, c)
			}
		}
	}
	return cases
}

// Case 2: pings and pongs.
func pingCases() []wireCase {
	const junk = "\x00\xff\xfe\xfd\xfc\xfb\x00\xff"
	long := strings.Repeat("\xfe", 125)
	pong0, pong1 := masked(finBit|opPong, ""), masked(finBit|opPong, "unsolicited pong payload")
	var ten [][]byte
	var tenPongs []reply
	for i := range 10 {
		ten = append(ten, ping(fmt.Sprint("payload-", i)))
		tenPongs = append(tenPongs, pong(fmt.Sprint("payload-", i)))
	}
	return []wireCase{
		{id: "2.1", frames: one(ping("")), want: []reply{pong("")}},
		{id: "2.2", frames: one(ping("Hello, world!")), want: []reply{pong("Hello, world!")}},
		{id: "2.3", frames: one(ping(junk)), want: []reply{pong(junk)}},
		{id: "2.4", frames: one(ping(long)), want: []reply{pong(long)}},
		{id: "2.5", frames: one(ping(long + "\xfe")), fails: 1002},
		{id: "2.6", frames: one(ping(long)), chop: 1, want: []reply{pong(long)}},
		{id: "2.7", frames: one(pong0)},
		{id: "2.8", frames: one(pong1)},
		{id: "2.9", frames: [][]byte{pong1, ping("ping payload")}, want: []reply{pong("ping payload")}},
		{id: "2.10", frames: ten, want: tenPongs},
		{id: "2.11", frames: ten, chop: 1, want: tenPongs},
	}
}

// Case 3: reserved bits, which only an extension may set.
func reservedBitCases() []wireCase {
	const hello = "Hello, world!"
	rsv := func(bits, first byte, payload string) []byte { return masked(finBit|bits<<4|first, payload) }
	after := func(bits byte) [][]byte { return [][]byte{text(hello), rsv(bits, opText, hello), ping("")} }
	may := []reply{echo(hello)}
	return []wireCase{
		{id: "3.1", frames: one(rsv(1, opText, hello)), fails: 1002},
		{id: "3.2", frames: after(2), may: may, fails: 1002},
		{id: "3.3", frames: after(3), chop: byFrame, may: may, fails: 1002},
		{id: "3.4", frames: after(4), chop: 1, may: may, fails: 1002},
		{id: "3.5", frames: one(rsv(5, opBinary, "\x00\xff\xfe\xfd")), fails: 1002},
		{id: "3.6", frames: one(rsv(6, opPing, hello)), fails: 1002},
		{id: "3.7", frames: one(rsv(7, opClose, "")), fails: 1002},
	}
}

// Case 4: opcodes that mean nothing yet.
func reservedOpcodeCases() (cases []wireCase) {
	const hello = "Hello, world!"
	for i, base := range []byte{3, 11} {
		for k := range byte(5) {
			c := wireCase{id: fmt.Sprintf("4.%d.%d", i+1, k+1), fails: 1002}
			frame := masked(finBit|base+k, map[bool]string{true: "reserved opcode payload"}[k%2 == 1 || k == 4])
			if k < 2 {
				c.frames = one(frame)
			} else {
				c.frames = [][]byte{text(hello), frame, ping("")}
				c.may = []reply{echo(hello)}
			}
			if k == 4 {
				c.chop = 1
			}
			cases = append(cases, c)
		}
	}
	return cases
}

// Case 5: messages in fragments.
func fragmentationCases() []wireCase {
	two := textMessage("fragment1", "fragment2")
	whole := []reply{echo("fragment1fragment2")}
	pinged := [][]byte{two[0], ping("ping payload"), two[1]}
	pingedReplies := append([]reply{pong("ping payload")}, whole...)
	last, open := masked(finBit|opContinuation, "non-continuation payload"), masked(opContinuation, "non-continuation payload")
	lastThenText, openThenText := [][]byte{last, text("Hello, world!")}, [][]byte{open, text("Hello, world!")}
	repeated := func(start []byte) [][]byte { return frames(one(start), two, one(start), two) }
	five := textMessage("fragment1", "fragment2", "fragment3", "fragment4", "fragment5")
	fivePinged := frames(five[:2], one(ping("pongme 1!")), five[2:4], one(ping("pongme 2!")), five[4:])
	fiveReplies := []reply{pong("pongme 1!"), pong("pongme 2!"), echo("fragment1fragment2fragment3fragment4fragment5")}
	return []wireCase{
		{id: "5.1", frames: message(opPing, "fragment1", "fragment2"), fails: 1002},
		{id: "5.2", frames: message(opPong, "fragment1", "fragment2"), fails: 1002},
		{id: "5.3", frames: two, want: whole},
		{id: "5.4", frames: two, chop: byFrame, want: whole},
		{id: "5.5", frames: two, chop: 1, want: whole},
		{id: "5.6", frames: pinged, want: pingedReplies},
		{id: "5.7", frames: pinged, chop: byFrame, want: pingedReplies},
		{id: "5.8", frames: pinged, chop: 1, want: pingedReplies},
		{id: "5.9", frames: lastThenText, fails: 1002},
		{id: "5.10", frames: lastThenText, chop: byFrame, fails: 1002},
		{id: "5.11", frames: lastThenText, chop: 1, fails: 1002},
		{id: "5.12", frames: openThenText, fails: 1002},
		{id: "5.13", frames: openThenText, chop: byFrame, fails: 1002},
		{id: "5.14", frames: openThenText, chop: 1, fails: 1002},
		{id: "5.15", frames: frames(two, openThenText), may: whole, fails: 1002},
		{id: "5.16", frames: repeated(open), fails: 1002},
		{id: "5.17", frames: repeated(last), fails: 1002},
		{id: "5.18", frames: [][]byte{masked(opText, "fragment1"), masked(finBit|opText, "fragment2")}, fails: 1002},
		{id: "5.19", frames: fivePinged, want: fiveReplies},
		{id: "5.20", frames: fivePinged, chop: byFrame, want: fiveReplies},
	}
}

// Case 7: closing.
func closeCases() []wireCase {
	normal := closing(1000, "")
	done := &Ending{Code: 1000}
	big := filler(nil, 256<<10)
	reason := strings.Repeat("*", 123)
	two := textMessage("fragment1", "fragment2")
	cases := []wireCase{
		{id: "7.1.1", frames: one(text("Hello World!")), want: []reply{echo("Hello World!")}},
		{id: "7.1.2", frames: [][]byte{normal, normal}, answer: done},
		{id: "7.1.3", frames: [][]byte{normal, ping("")}, answer: done},
		{id: "7.1.4", frames: [][]byte{normal, text("Hello World!")}, answer: done},
		{id: "7.1.5", frames: [][]byte{two[0], normal, two[1]}, answer: done},
		// A close frame is answered as soon as it is read; the child gets what came before it.
		{id: "7.1.6", frames: [][]byte{text(big), text("Hello World!"), normal, ping("")},
			may: []reply{echo(big), echo("Hello World!")}, answer: done},
		{id: "7.3.1", frames: one(masked(finBit|opClose, "")), answer: &Ending{Code: 1005}},
		{id: "7.3.2", frames: one(masked(finBit|opClose, "a")), fails: 1002},
		{id: "7.3.3", frames: one(normal), answer: done},
		{id: "7.3.4", frames: one(closing(1000, "Hello World!")), answer: &Ending{1000, "Hello World!"}},
		{id: "7.3.5", frames: one(closing(1000, reason)), answer: &Ending{1000, reason}},
		{id: "7.3.6", frames: one(closing(1000, reason+"*")), fails: 1002},
		{id: "7.5.1", frames: one(closing(1000, kosme+"\xed\xa0\x80edited")), fails: 1007},
	}
	valid := []int{1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999}
	for i, code := range valid {
		cases = append(cases, wireCase{id: fmt.Sprintf("7.7.%d", i+1), frames: one(closing(code, "")), answer: &Ending{Code: code}})
	}
	for _, code := range []int{1012, 1013, 1014} { // registered later
		cases = append(cases, wireCase{id: fmt.Sprint("7.7 code ", code), frames: one(closing(code, "")), answer: &Ending{Code: code}})
	}
	invalid := []int{0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999}
	for i, code := range invalid {
		cases = append(cases, wireCase{id: fmt.Sprintf("7.9.%d", i+1), frames: one(closing(code, "")), fails: 1002})
	}
	return append(cases,
		wireCase{id: "7.9 code 1015", frames: one(closing(1015, "")), fails: 1002},
		// The RFC says nothing about codes from 5000 on; to us they are like 2999.
		wireCase{id: "7.13.1", frames: one(closing(5000, "")), fails: 1002},
		wireCase{id: "7.13.2", frames: one(closing(65535, "")), fails: 1002})
}

// largestMessage is as much as one message of the cases has.
const largestMessage = 2 << 20

// Case 9: limits and speed, smaller than in the suite, so that the test is
// quick: there the messages have up to 16 MiB, those in fragments 4, those in
// pieces 1, and the small ones go round 1000 times.
func sizeCases() (cases []wireCase) {
	for i, framing := range []Framing{nil, Chunks{}} {
		add := func(group, k int, payload string, part, chop, times int) {
			c := echoCase(fmt.Sprintf("9.%d.%d", group+i, k+1), framing, payload, part)
			c.chop, c.times = chop, times
			cases = append(cases, c)
		}
		for k, size := range []int{64 << 10, 256 << 10, 512 << 10, maxFrame, maxFrame + 1, largestMessage} {
			add(1, k, filler(framing, size), size, 0, 1)
		}
		for k := range 9 { // fragments of 64 octets, 256 … 4 MiB
			add(3, k, filler(framing, 512<<10), 64<<(2*k), byFrame, 1)
		}
		for k := range 6 {
			add(5, k, filler(framing, 256<<10), 256<<10, 64<<k, 1)
		}
		for k, size := range []int{0, 16, 64, 256, 1024, 4096} {
			add(7, k, filler(framing, size), size, 0, 200)
		}
	}
	return cases
}

// Case 10: a message in many fragments that do not divide it.
func fragmentedEchoCases() []wireCase {
	return []wireCase{echoCase("10.1.1", nil, filler(nil, 65536), 1300)}
}

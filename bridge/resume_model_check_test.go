package bridge

import (
	"encoding/binary"
	"fmt"
	"runtime"
)

// read returns the next message. It answers pings, and a close frame that tells
// the end of the program.
func (v *modelConn) read() (string, error) {
	var message []byte
	compressed := false
	for {
		f, err := v.frame()
		if err != nil {
			return "", v.ended(err)
		}
		switch f.op {
		case opPing:
			if _, err := v.conn.Write(ponging(f.payload)); err != nil {
				return "", err
			}
			continue
		case opClose:
			return "", v.told(f.payload)
		}
		compressed = compressed || f.rsv1
		if message = append(message, f.payload...); !f.fin {
			continue
		}
		if compressed {
			return inflated(message)
		}
		return string(message), nil
	}
}

// told takes a close frame, which must be that of the program's end, and answers
// it.
func (v *modelConn) told(payload []byte) error {
	end := Ending{Code: 1005}
	if len(payload) >= 2 {
		end = Ending{int(binary.BigEndian.Uint16(payload)), string(payload[2:])}
	}
	m := v.m
	if end == errTakenOver && (m.open != nil || runtime.GOOS != "linux") {
		return errCut // the one before was slower to come, and the server cannot know that it is gone
	}
	sum := 0
	for _, n := range m.lines {
		sum += n
	}
	if !m.exits || end != modelEnd || m.counting && m.got != sum {
		return fmt.Errorf("closed with %v", end)
	}
	if _, err := v.conn.Write(appendFrame(nil, finBit|opClose, payload, true)); err != nil {
		return err
	}
	m.ended = true
	return nil
}

// hear checks a message of the program's. To a client that counts each comes once;
// any other may have had it before, but there is no gap.
func (v *modelConn) hear(text string) error {
	m := v.m
	var l modelLine
	if _, err := fmt.Sscan(text, &l.printed, &l.read, &l.told, &l.size); err != nil || text != l.String() {
		return fmt.Errorf("heard %.80q", text)
	}
	switch {
	case m.counting && (l.printed != m.got+1 || l.read != l.told || l.told > m.wrote):
		return fmt.Errorf("heard %.80q after message %d", text, m.got)
	case !m.counting && (v.last > 0 && l.printed != v.last+1 || l.printed > m.got+1 || l.read > l.told):
		return fmt.Errorf("heard %.80q after message %d, and on this connection %d", text, m.got, v.last)
	case l.printed == m.got+1 && (l.read < m.read || l.told < m.told || (l.read == m.read) != (l.told == m.told)):
		return fmt.Errorf("heard %.80q after line %d, which is message %d", text, m.read, m.told)
	}
	v.last = l.printed
	if l.printed > m.got {
		m.got, m.read, m.told = l.printed, l.read, l.told
	}
	return nil
}

// A modelGot is what a model has heard.
type modelGot struct {
	got  int // the number of the last message that has come
	read int // the lines that the program had read by then
	told int // and the last of them
}

package bridge

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"
)

// Whatever a client says and wherever its connections are cut, taken over or left,
// one that counts and its program get each message of the other's once.
func FuzzResume(f *testing.F) {
	f.Add([]byte{0, 0}, true, false, byte(20))
	f.Add([]byte{3, 250, 1, 3, 251, 2, 7, 252, 0, 1, 180, 5}, true, false, byte(20))
	f.Add([]byte{2, 240, 3, 6, 255, 3, 2, 255, 3, 14, 200, 9, 2, 100, 1}, false, false, byte(100))
	f.Add([]byte{1, 255, 9, 5, 240, 9, 9, 230, 9, 13, 220, 9}, true, true, byte(255))
	h := child(&Handler{Hosting: Resume{For: time.Hour, Buffer: 500}, Compress: true, Limits: &Limits{MaxForks: -1}}, "model")
	srv := serve(f, h)
	var sessions atomic.Int64
	f.Fuzz(func(t *testing.T, schedule []byte, counting, compress bool, size byte) {
		m := &model{t: t, srv: srv, key: fmt.Sprintf("%022d", sessions.Add(1)), size: 8 * int(size)}
		m.counting, m.compress = counting, compress
		for ; len(schedule) >= 3 && m.sent < 100; schedule = schedule[3:] {
			m.schedule(schedule[0], 2*int(schedule[1]), int(schedule[2]%8))
		}
		m.finish()
		if !m.ended || m.counting && m.told != m.sent {
			t.Errorf("%d messages sent, %d heard of, its end told: %t", m.sent, m.told, m.ended)
		}
	})
}

// finish has the program exit and hears all of the rest.
func (m *model) finish() {
	m.say(2)
	m.exits = true
	for try := 0; try < 3 && !m.ended; try++ { // one that was left open may come late
		if m.visit(-1, -1, false); !m.counting {
			m.wrote = m.sent - 1 // it cannot know whether that has arrived
		}
	}
}

// schedule is one connection: how says where it is cut, after how many bytes, and
// whether it is left open until the next has come.
func (m *model) schedule(how byte, after, messages int) {
	if messages > 0 {
		m.sayMore(messages)
	} else if !m.counting {
		m.say(1)
	}
	up, down := -1, -1
	switch how % 4 {
	case 1:
		up = after
	case 2:
		down = after
	case 3:
		up, down = after, after*3/2
	}
	m.visit(up, down, how&4 != 0)
	if how%4 != 0 && !m.counting && how&8 != 0 {
		m.say(1)
		m.visit(-1, -1, false) // else what it has not heard would become more and more
	}
}

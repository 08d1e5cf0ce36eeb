package bridge

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"net/url"
	"strconv"
	"time"

	"github.com/wsbridge/wsbridge/bridge/internal/wire"
)

// A bookmark is where a Client stands in a session that it comes back to. The
// goroutine that receives owns it, and between connections the one that connects.
type bookmark struct {
	key    string
	chosen bool // by the caller, who may come back with it later
	begun  bool // the server has greeted us
	shared bool // the session is the run of a shared program

	received int64 // the number of the last message that we have; -1: not known yet
	before   int64 // messages that the program had from others, before our first

	ghost time.Time // when a connection of ours was lost before its greeting
}

// ghostLimit is how long after its loss a connection may still be let in by a server
// that is slow, and take over from the one that came after it.
const ghostLimit = 10 * time.Second

// byGhost reports whether a session was taken over by a connection of our own that we
// have given up, and not by another client.
func (b *bookmark) byGhost(end wire.Ending) bool {
	return end == wire.Ending(errTakenOver) && !b.ghost.IsZero() && time.Since(b.ghost) < ghostLimit
}

var (
	// ErrBadKey is the error of a Client whose URL names no session properly.
	ErrBadKey = errors.New("in the URL, resume is one key of 22 to 128 characters from A-Z, a-z, 0-9, - and _, " +
		"and received beside it the number of a message")

	errBadGreeting = Ending{codeProtocolError, "the server's greeting does not fit the session"}
)

// newBookmark returns a bookmark for the session that a URL names, or for a new one,
// and the URL without it.
func newBookmark(address string) (*bookmark, *url.URL, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, nil, err
	}
	rest, own := cutParameters(u.RawQuery)
	u.RawQuery = rest
	b := &bookmark{key: rand.Text(), received: -1}
	if keys := own["resume"]; len(keys) > 0 {
		b.key, b.chosen = keys[0], true
		if len(keys) > 1 || !isKey(b.key) {
			return nil, nil, ErrBadKey
		}
	}
	if numbers := own["received"]; len(numbers) > 0 {
		n, err := strconv.ParseUint(numbers[0], 10, 63)
		if len(numbers) > 1 || err != nil || !b.chosen {
			return nil, nil, ErrBadKey
		}
		b.received = int64(n)
	}
	return b, u, nil
}

// in is a URL that leads to the place in the session.
func (b *bookmark) in(address *url.URL) string {
	u := *address
	if u.RawQuery != "" {
		u.RawQuery += "&"
	}
	u.RawQuery += "resume=" + b.key
	if b.received >= 0 {
		u.RawQuery += "&received=" + strconv.FormatInt(b.received, 10)
	}
	return u.String()
}

// exact reports whether the server tells what it has of our messages.
func (b *bookmark) exact() bool { return !b.shared }

// greeted takes the first message of a connection. Of our messages, the server was
// known to have the first acked ones, and some connection has had the first lent
// ones. It returns how many the server has. Its error is how the session ends that
// does not go on.
func (b *bookmark) greeted(text []byte, acked, lent int64) (has int64, resumed bool, err error) {
	var g greeting
	if json.Unmarshal(text, &g) != nil || !isKey(g.Session) || g.Received < 0 || g.Next < 1 {
		return 0, false, errBadGreeting
	}
	if !b.begun {
		b.shared = g.Session != b.key
	} else if g.Received == 0 && acked > 0 && g.Resumed {
		b.shared = true // of whose run we were given the name
	}
	if b.shared {
		return acked, g.Resumed, b.joined(g)
	}
	first, before := !b.begun, b.before
	switch {
	case g.Session != b.key:
		return 0, false, errBadGreeting
	case !first && !g.Resumed:
		return 0, false, errNoSession // it has ended: this is another one
	case first:
		before = g.Received
	}
	has = g.Received - before
	if b.received >= 0 && g.Next != b.received+1 || has < acked || has > lent {
		return 0, false, errBadGreeting
	}
	b.begun, b.received, b.before = true, g.Next-1, before
	return has, g.Resumed, nil
}

// joined takes the greeting of a shared program.
func (b *bookmark) joined(g greeting) error {
	if g.Resumed && b.begun && (g.Session != b.key || g.Next != b.received+1) {
		return errBadGreeting
	}
	b.key, b.begun, b.received = g.Session, true, g.Next-1
	return nil
}

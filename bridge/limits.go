package bridge

import (
	"cmp"
	"net/http"
	"net/netip"
	"slices"
	"sync"
)

// Limits are how much there may be at once. Handlers that share one share its
// places. The zero value has the defaults. The fields must not change once it
// is used, and it must not be copied then.
type Limits struct {
	// MaxForks is how many children may run at once; a connection over it
	// is refused with 429. Zero means 1024, a negative number no limit.
	//
	// While a session is ending whose child has a place, a connection waits
	// for it rather than being refused: at most as long as a child can take to
	// end, and 1 s. No more of them wait than there are places. The same holds
	// for MaxPerAddress.
	MaxForks int

	// MaxSessions is how many sessions there may be in all; a connection over
	// it is refused with 503. A session counts from its handshake on. Zero
	// means no limit.
	MaxSessions int

	// MaxPerAddress is how many children one client address may have at
	// once; a connection over it is refused with 429. An IPv6 address counts
	// as its /64, because whoever has one has all of them. Zero means 64, but
	// no limit for peers on this machine (loopback addresses, unix sockets); a
	// positive number holds for them too, a negative one is no limit.
	MaxPerAddress int

	mu         sync.Mutex
	all        taken
	perAddress map[netip.Prefix]taken // of the addresses that MaxPerAddress counts
	begun      int                    // sessions that were let in, running or not
	waiting    []*applicant           // in the order of arrival
}

// The defaults of the fields of Limits.
const (
	DefaultMaxForks      = 1024
	DefaultMaxPerAddress = 64
)

// taken counts places that have a child, or are about to.
type taken struct{ places, ending int }

// limits are those that count the Handler's sessions.
func (h *Handler) limits() *Limits {
	if h.Limits == nil {
		return &h.service().limits
	}
	return h.Limits
}

// An applicant wants a place.
type applicant struct {
	who      netip.Prefix // whom it counts for; not valid: nobody
	sessions int          // that MaxSessions counts: 1 or 0

	// While it waits, guarded by the Limits' mu.
	impatient bool          // it waits only while a place is about to be free
	done      chan struct{} // closed when the answer is there: place or refused
	place     *place
	refused   *Refusal
}

// limitFor returns the prefix that a client is counted under. An invalid one
// means that it is not counted.
func (l *Limits) limitFor(c client) netip.Prefix {
	// A local proxy may bring strangers: those that it does not tell apart
	// share one limit.
	local := c.addr.IsLoopback() && !c.hidden
	if l.MaxPerAddress < 0 || l.MaxPerAddress == 0 && local {
		return netip.Prefix{}
	}
	bits := c.addr.BitLen()
	if c.addr.Is6() {
		bits = 64
	}
	who, _ := c.addr.Prefix(bits)
	return who
}

func (l *Limits) maxForks() int      { return cmp.Or(l.MaxForks, DefaultMaxForks) }
func (l *Limits) maxPerAddress() int { return cmp.Or(l.MaxPerAddress, DefaultMaxPerAddress) }

// apply gives an applicant a place or a refusal, or lets it wait: then its
// answer comes when done is closed.
func (l *Limits) apply(a *applicant) (waits bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	a.place, a.refused = l.take(a)
	if a.refused == nil || !l.roomToWait(a) {
		return false
	}
	a.done = make(chan struct{})
	l.waiting = append(l.waiting, a)
	return true
}

// take takes a place if one is free. l.mu is locked, here and below.
func (l *Limits) take(a *applicant) (*place, *Refusal) {
	switch {
	case l.MaxSessions > 0 && l.begun+a.sessions > l.MaxSessions:
		return nil, &Refusal{Status: http.StatusServiceUnavailable, Rule: RuleSessions, Reason: "no more sessions"}
	case l.maxForks() > 0 && l.all.places >= l.maxForks():
		return nil, &Refusal{Status: http.StatusTooManyRequests, Rule: RuleForks, Reason: "too many sessions"}
	case a.who.IsValid() && l.perAddress[a.who].places >= l.maxPerAddress():
		return nil, &Refusal{Status: http.StatusTooManyRequests, Rule: RuleAddress, Reason: "too many sessions from this address"}
	}
	l.begun += a.sessions
	l.count(a.who, 1, 0)
	return &place{limits: l, who: a.who, unbegun: a.sessions}, nil
}

// count adds to the places that are taken, and to those of them that are ending.
func (l *Limits) count(who netip.Prefix, places, ending int) {
	l.all.places += places
	l.all.ending += ending
	if !who.IsValid() {
		return
	}
	n := l.perAddress[who]
	n.places += places
	n.ending += ending
	if n.places == 0 {
		delete(l.perAddress, who)
		return
	}
	if l.perAddress == nil {
		l.perAddress = make(map[netip.Prefix]taken)
	}
	l.perAddress[who] = n
}

// roomToWait reports whether one more may wait for what an applicant lacks:
// there are no more of them than places.
func (l *Limits) roomToWait(a *applicant) bool {
	switch a.refused.Rule {
	case RuleForks:
		return len(l.waiting) < l.maxForks()
	case RuleAddress:
		n := 0
		for _, other := range l.waiting {
			if other.who == a.who {
				n++
			}
		}
		return n < l.maxPerAddress()
	}
	return false
}

// hopeful reports whether a place for an applicant is about to be free.
func (l *Limits) hopeful(a *applicant) bool {
	switch a.refused.Rule {
	case RuleForks:
		return l.all.ending > 0
	case RuleAddress:
		return l.perAddress[a.who].ending > 0
	}
	return false
}

// settle answers those who wait, as far as there is an answer now.
func (l *Limits) settle() {
	l.waiting = slices.DeleteFunc(l.waiting, func(a *applicant) bool {
		a.place, a.refused = l.take(a)
		if a.refused != nil && (!a.impatient || l.hopeful(a)) {
			return false
		}
		close(a.done)
		return true
	})
}

// beImpatient makes an applicant wait only while a place is about to be free.
func (l *Limits) beImpatient(a *applicant) {
	l.mu.Lock()
	defer l.mu.Unlock()
	a.impatient = true
	l.settle()
}

// giveUp is for an applicant that waits no longer. Its answer is there then.
func (l *Limits) giveUp(a *applicant) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if i := slices.Index(l.waiting, a); i >= 0 {
		l.waiting = slices.Delete(l.waiting, i, i+1)
		close(a.done)
	}
}

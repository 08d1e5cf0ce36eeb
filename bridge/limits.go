package bridge

import (
	"cmp"
	"net/http"
	"net/netip"
	"slices"
	"sync"
)

// Limits say how many programs and connections there may be at once. Handlers that
// share a Limits share its places. The zero value has the defaults. Once it is used,
// its fields must not change, and it must not be copied.
type Limits struct {
	// MaxForks is how many children may run at once; a connection over it
	// is refused with 429. Zero means 1024, a negative number no limit.
	//
	// A connection over it is not refused at once. It waits up to 500 ms for some
	// session to begin to end, and then as long as one is ending, but at most 1 s
	// longer than a child of its own Handler can take to end. No more connections
	// wait than there are places.
	//
	// A session whose child is gone, but whose client has not taken all of its
	// output yet, is a tail. There may be as many tails as places; one over that
	// keeps its place, and nobody waits for that.
	//
	// The same applies to MaxPerAddress.
	MaxForks int

	// MaxSessions is how many sessions there may be in all; a connection over
	// it is refused with 503. A session counts from its handshake on. Zero
	// means no limit.
	MaxSessions int

	// MaxPerAddress is how many children one client address may have at
	// once; a connection over it is refused with 429. An IPv6 address counts
	// as its /64, because whoever has one has all of them. Zero means 64, but
	// no limit for peers on this machine (loopback addresses, unix sockets). A
	// positive number applies to them too; a negative one is no limit.
	MaxPerAddress int

	// MaxClients is how many connections to shared programs there may be at once
	// (Share); one over it is refused with 429. These connections count toward
	// MaxPerAddress too, and the programs toward MaxForks. Zero means 10000, a
	// negative number no limit.
	MaxClients int

	// TakeOver has a connection that finds the places taken end the oldest session of
	// the same program (and for MaxPerAddress, of the same address), with close code
	// 4409. It then waits for that program to end. When as many connections wait as
	// there are places, the one that has waited longest is refused. CGI programs and
	// the clients of shared programs neither take over nor are taken over.
	TakeOver bool

	mu         sync.Mutex
	all        taken
	clients    taken
	perAddress map[netip.Prefix]taken // of the addresses that MaxPerAddress counts
	begun      int                    // sessions that were let in, running or not
	waiting    []*applicant           // in the order of arrival
}

// The defaults of the fields of Limits.
const (
	DefaultMaxForks      = 1024
	DefaultMaxPerAddress = 64
	DefaultMaxClients    = 10000
)

// taken counts sessions and CGI programs.
type taken struct {
	places int // those that have a child, or are about to
	ending int // those of them whose child is about to be gone
	tails  int // those whose child is gone
}

// full reports whether there is no room for one more where there may be so many
// places, and as many tails.
func (t taken) full(limit int) bool { return t.places+max(t.tails-limit, 0) >= limit }

// limits are those that count the Handler's sessions.
func (h *Handler) limits() *Limits {
	if h.Limits == nil {
		return &h.service().limits
	}
	return h.Limits
}

// An applicant is a request that wants a place.
type applicant struct {
	who      netip.Prefix // the address that it counts for; invalid if for none
	sessions int          // that MaxSessions counts: 1 or 0
	client   bool         // it is a client of a shared program, not a program

	takesOver *program // which it wants, if it takes over; else nil

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
func (l *Limits) maxClients() int    { return cmp.Or(l.MaxClients, DefaultMaxClients) }
func (l *Limits) maxPerAddress() int { return cmp.Or(l.MaxPerAddress, DefaultMaxPerAddress) }

// apply gives an applicant a place or a refusal, or lets it wait: then its
// answer comes when done is closed.
func (l *Limits) apply(a *applicant) (waits bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	a.place, a.refused = l.take(a)
	if a.refused == nil || !l.roomToWait(a) && !l.displace(a) {
		return false
	}
	a.done = make(chan struct{})
	l.waiting = append(l.waiting, a)
	return true
}

var (
	noMoreSessions = &Refusal{Status: http.StatusServiceUnavailable, Rule: RuleSessions, Reason: "no more sessions"}
	tooMany        = &Refusal{Status: http.StatusTooManyRequests, Rule: RuleForks, Reason: "too many sessions"}
	tooManyClients = &Refusal{Status: http.StatusTooManyRequests, Rule: RuleClients, Reason: "too many clients"}
	tooManyOfOne   = &Refusal{Status: http.StatusTooManyRequests, Rule: RuleAddress, Reason: "too many sessions from this address"}
)

// judge sets what an applicant would be refused with. It takes no place.
func (l *Limits) judge(a *applicant) {
	l.mu.Lock()
	defer l.mu.Unlock()
	a.refused = l.refusal(a)
}

// refusal is what an applicant is refused with; nil if a place is free. l.mu is
// locked, here and below.
func (l *Limits) refusal(a *applicant) *Refusal {
	switch {
	case l.MaxSessions > 0 && l.begun+a.sessions > l.MaxSessions:
		return noMoreSessions
	case a.client && l.maxClients() > 0 && l.clients.full(l.maxClients()):
		return tooManyClients
	case !a.client && l.maxForks() > 0 && l.all.full(l.maxForks()):
		return tooMany
	case a.who.IsValid() && l.perAddress[a.who].full(l.maxPerAddress()):
		return tooManyOfOne
	}
	return nil
}

// take takes a place if one is free.
func (l *Limits) take(a *applicant) (*place, *Refusal) {
	if refused := l.refusal(a); refused != nil {
		return nil, refused
	}
	l.begun += a.sessions
	p := &place{limits: l, who: a.who, client: a.client, unbegun: a.sessions, state: placeTaken, exclusive: a.takesOver != nil}
	l.count(p, taken{}, p.state.counts())
	return p, nil
}

// count counts a place, whose state has changed, as what it is now.
func (l *Limits) count(p *place, before, now taken) {
	if p.client {
		l.clients.change(before, now)
	} else {
		l.all.change(before, now)
	}
	who := p.who
	if !who.IsValid() {
		return
	}
	n := l.perAddress[who]
	n.change(before, now)
	if n == (taken{}) {
		delete(l.perAddress, who)
		return
	}
	if l.perAddress == nil {
		l.perAddress = make(map[netip.Prefix]taken)
	}
	l.perAddress[who] = n
}

func (t *taken) change(before, now taken) {
	t.places += now.places - before.places
	t.ending += now.ending - before.ending
	t.tails += now.tails - before.tails
}

// lacking is what there is of what an applicant lacks, and how much there may
// be: zero if it is nothing to wait for.
func (l *Limits) lacking(a *applicant) (n taken, limit int) {
	switch a.refused.Rule {
	case RuleForks:
		return l.all, l.maxForks()
	case RuleAddress:
		return l.perAddress[a.who], l.maxPerAddress()
	}
	return taken{}, 0
}

// roomToWait reports whether one more may wait for what an applicant lacks:
// there are no more of them than places, and none if it is tails that are too
// many.
func (l *Limits) roomToWait(a *applicant) bool {
	n, limit := l.lacking(a)
	if n.places < limit {
		return false
	}
	waiting := 0
	for _, other := range l.waiting {
		if other.refused.Rule == a.refused.Rule && (a.refused.Rule == RuleForks || other.who == a.who) {
			waiting++
		}
	}
	return waiting < limit
}

// hopeful reports whether a place for an applicant is about to be free.
func (l *Limits) hopeful(a *applicant) bool {
	n, _ := l.lacking(a)
	return n.ending > 0
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
	if a.refused != nil && !l.hopeful(a) {
		l.dismiss(a)
	}
}

// giveUp makes an applicant stop waiting. It has its answer then.
func (l *Limits) giveUp(a *applicant) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.dismiss(a)
}

// dismiss leaves an applicant that waits with its refusal.
func (l *Limits) dismiss(a *applicant) {
	if i := slices.Index(l.waiting, a); i >= 0 {
		l.waiting = slices.Delete(l.waiting, i, i+1)
		close(a.done)
	}
}

package bridge

import (
	"context"
	"net/netip"
	"slices"
)

// With Limits.TakeOver, who finds the places taken ends a session and waits for its
// place, as anybody waits who finds a session ending.

// takeOver ends a session for an applicant that waits, if it is one that takes over
// and no other place is about to be free for it.
func (a *admission) takeOver(applicant *applicant) {
	if applicant.takesOver == nil {
		return
	}
	if who, lacks := a.handler.limits().lacks(applicant); lacks {
		a.handler.service().takeOver(*applicant.takesOver, who)
	}
}

// exclusive has a place's session end by itself when a new client takes over, and
// returns its context.
func (l *launcher) exclusive(ctx context.Context, p *place) context.Context {
	ctx, p.end = context.WithCancelCause(ctx)
	l.service.mu.Lock()
	defer l.service.mu.Unlock()
	l.places = append(l.places, p)
	return ctx
}

// takeOver ends the oldest session of a program whose place counts for somebody, or
// with an invalid prefix for anybody, unless it is ending already. It reports whether
// there is one.
func (s *service) takeOver(p program, who netip.Prefix) bool {
	s.mu.Lock()
	var places []*place
	if l := s.launchers[p.name()]; l != nil {
		places = slices.Clone(l.places)
	}
	s.mu.Unlock()
	for _, old := range places {
		if (!who.IsValid() || old.who == who) && old.become(placeEnding) {
			old.end(errTakenOver)
			return true
		}
	}
	return false
}

// lacks reports whether a session must end for an applicant that waits: there are more
// who wait than places that are about to be free. The session must count for who, if
// that is valid.
func (l *Limits) lacks(a *applicant) (who netip.Prefix, lacks bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !slices.Contains(l.waiting, a) {
		return who, false
	}
	n := l.all
	if of := l.perAddress[a.who]; a.who.IsValid() && of.full(l.maxPerAddress()) {
		n, who = of, a.who // which gives room in both
	}
	waiting := 0
	for _, other := range l.waiting {
		if !who.IsValid() || other.who == who {
			waiting++
		}
	}
	return who, n.ending < waiting
}

// displace refuses the one that has waited longest for what an applicant wants to take
// over, and reports whether there was one. l.mu is locked.
func (l *Limits) displace(a *applicant) bool {
	if n, limit := l.lacking(a); a.takesOver == nil || n.places < limit {
		return false
	}
	for _, other := range l.waiting {
		if other.takesOver != nil && other.takesOver.name() == a.takesOver.name() &&
			other.refused.Rule == a.refused.Rule && (a.refused.Rule == RuleForks || other.who == a.who) {
			refused := *other.refused
			refused.Reason = "taken over by a newer client"
			other.refused = &refused
			l.dismiss(other)
			return true
		}
	}
	return false
}

package bridge

import (
	"net/http"
	"time"

	"github.com/wsbridge/wsbridge/process"
)

const (
	// noticeLimit is how long a request may wait before any session is
	// ending: the end of a connection may be noticed a little later than the
	// next request of the client that has left.
	noticeLimit = 500 * time.Millisecond

	// waitLimit is how long it may wait beyond the time that a child can take
	// to end.
	waitLimit = time.Second
)

// enter takes the place that an applicant wants. It may wait for one. If the request only
// asks, enter takes nothing.
func (a *admission) enter(applicant *applicant) (*place, *Refusal) {
	l, s := a.handler.limits(), a.handler.service()
	if s.draining.Err() != nil {
		return nil, shuttingDown
	}
	if a.asking {
		l.judge(applicant)
	} else if l.apply(applicant) {
		if refused := a.await(applicant); refused != nil {
			applicant.place.free()
			return nil, refused
		}
	}
	if applicant.refused != nil {
		return nil, a.detailed(applicant)
	}
	if a.asking {
		return nil, nil
	}
	if !s.enter() {
		applicant.place.free()
		return nil, shuttingDown
	}
	applicant.place.service = s
	return applicant.place, nil
}

var clientGone = &Refusal{Status: http.StatusServiceUnavailable, Rule: RuleGone, Reason: "client gone"}

// await waits for the answer to an applicant. It returns a refusal of its own
// if nobody wants the answer any more.
func (a *admission) await(applicant *applicant) (refused *Refusal) {
	a.handler.emit(Waiting{*a.info()})
	l := a.handler.limits()
	impatient := time.NewTimer(noticeLimit)
	defer impatient.Stop()
	late := time.NewTimer(process.Ladder(a.handler.Bounds.Grace) + waitLimit)
	defer late.Stop()
	a.takeOver(applicant)
	for {
		select {
		case <-applicant.done:
			return nil
		case <-impatient.C:
			a.takeOver(applicant) // from whoever has got a place meanwhile
			l.beImpatient(applicant)
			continue
		case <-late.C:
		case <-a.request.Context().Done():
			refused = clientGone
		case <-a.handler.service().draining.Done():
			refused = shuttingDown
		}
		l.giveUp(applicant)
		<-applicant.done
		return refused
	}
}

// detailed is the refusal of an applicant with what the log wants to know.
func (a *admission) detailed(applicant *applicant) *Refusal {
	if applicant.refused.Rule != RuleAddress {
		return applicant.refused
	}
	refused, who := *applicant.refused, applicant.who
	refused.Subject = who.String()
	if who.IsSingleIP() {
		refused.Subject = who.Addr().String()
	}
	refused.Detail = refused.Subject
	refused.Proxy = a.handler.gate().unknownProxy(a.client, a.request)
	return &refused
}

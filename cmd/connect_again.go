package cmd

import (
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/pflag"

	"github.com/wsbridge/wsbridge/bridge"
	"github.com/wsbridge/wsbridge/cmd/internal/hint"
)

// againOptions say whether connect connects again.
type againOptions struct {
	resume    bool
	reconnect bool
	resumeFor time.Duration
	given     func(flag string) bool
}

func (o *againOptions) add(flags *pflag.FlagSet) {
	flags.BoolVar(&o.resume, "resume", false,
		"when the connection is lost, come back by itself and continue: no message is lost or repeated; for a wsbridge with --resume or --share")
	flags.BoolVar(&o.reconnect, "reconnect", false,
		"when the connection is lost, connect again, to a new session each time; also after a close with 1001, 1012 or 1013; for any server")
	flags.DurationVar(&o.resumeFor, "resumefor", bridge.DefaultReconnectFor, "give up after `time` without a connection; 0 for never")
	o.given = flags.Changed
}

func (o *againOptions) check() error {
	switch {
	case o.resume && o.reconnect:
		return errors.New("--resume cannot be combined with --reconnect, which starts a new session each time")
	case o.given("resumefor") && !o.resume && !o.reconnect:
		return errors.New("--resumefor: needs --resume or --reconnect")
	case o.resumeFor < 0:
		return flagProblem("resumefor", o.resumeFor, errors.New("must not be negative"))
	}
	return nil
}

// reconnects is what the client does; nil: it ends with its first connection. What
// happens is told on stderr.
func (o *connectOptions) reconnects() *bridge.Reconnect {
	if !o.resume && !o.reconnect {
		return nil
	}
	return &bridge.Reconnect{
		Resume: o.resume,
		For:    offIfZero(o.resumeFor),
		Events: func(e bridge.Event) { _, _ = io.WriteString(o.stderr, "wsbridge: "+o.tells(e)+"\n") },
	}
}

// tells is what to tell of an event.
func (o *connectOptions) tells(e bridge.Event) string {
	switch e := e.(type) {
	case bridge.Away:
		return lossText(e.Ending) + "; connecting again"
	case bridge.Retrying:
		return o.triedText(e.Err) + "; next try in " + roundTime(e.Wait)
	case bridge.Back:
		text := "connected again after " + roundTime(e.After)
		switch {
		case !o.resume:
			return text + ", in a new session"
		case !e.Resumed:
			return text + ", to a new run of the program"
		case e.Again == 1:
			return text + ", where it was; 1 message is sent again"
		case e.Again > 0:
			return fmt.Sprintf("%s, where it was; %d messages are sent again", text, e.Again)
		}
		return text + ", where it was"
	}
	return fmt.Sprint(e)
}

// lossText says how a connection ended that is made again.
func lossText(end bridge.Ending) string {
	if end.Code != 1006 {
		return closeText(end)
	}
	if end == (bridge.Ending{Code: 1006, Reason: "no answer to pings"}) {
		return "the server does not answer pings"
	}
	return "the connection was lost"
}

// triedText says why a try to connect again has failed.
func (o *connectOptions) triedText(err error) string {
	if end, ok := errors.AsType[bridge.Ending](err); ok {
		return lossText(end)
	}
	return connectError(shownURL(o.url), err).Error()
}

// roundTime is a time for people.
func roundTime(d time.Duration) string {
	if d < time.Second {
		return d.Round(time.Millisecond).String()
	}
	return d.Round(time.Second / 10).String()
}

// runError is the error of a client that could not connect, or not again, or has waited
// in vain.
func (o *connectOptions) runError(err error) error {
	if errors.Is(err, bridge.ErrNoAnswer) {
		return o.noAnswer()
	}
	if errors.Is(err, bridge.ErrBadKey) {
		return hint.Usage(fmt.Errorf("cannot connect to %q: %w", shownURL(o.url), err), "without resume=KEY, connect --resume makes a key of its own")
	}
	if errors.Is(err, bridge.ErrNoChannels) {
		return hint.Add(fmt.Errorf("cannot connect to %s: %w", shownURL(o.url), err), o.channelsHint())
	}
	if errors.Is(err, bridge.ErrNotResumable) {
		return hint.Add(fmt.Errorf("cannot connect to %s: %w", shownURL(o.url), err), "a wsbridge with --resume does; --reconnect starts a new session each time")
	}
	if e, ok := errors.AsType[*bridge.GaveUpError](err); ok {
		return fmt.Errorf("gave up after %v: %s", e.After, o.triedText(e.Err))
	}
	return connectError(shownURL(o.url), err)
}

// resumedText says in words how a session ended that was to be continued; empty: as
// any other.
func resumedText(end bridge.Ending) string {
	var text string
	switch end.Code {
	case 4404:
		text = "the server does not have this session any more"
	case 4409:
		text = "another client has continued this session"
	case 4410:
		text = "the server does not have the messages that come next any more"
	default:
		return ""
	}
	return fmt.Sprintf("%s (%d: %s)", text, end.Code, printable(end.Reason))
}

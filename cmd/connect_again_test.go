package cmd

import (
	"errors"
	"testing"
	"time"

	"github.com/wsbridge/wsbridge/bridge"
)

func TestReconnects(t *testing.T) {
	for _, test := range []struct {
		args []string
		want *bridge.Reconnect
	}{
		{nil, nil},
		{[]string{"--resume"}, &bridge.Reconnect{Resume: true, For: 5 * time.Minute}},
		{[]string{"--reconnect", "--resumefor=1m"}, &bridge.Reconnect{For: time.Minute}},
		{[]string{"--reconnect", "--resumefor=0"}, &bridge.Reconnect{For: -1}},
	} {
		_, o, _, stderr := parse(append([]string{"connect", "ws://h"}, test.args...)...)
		if o == nil {
			t.Errorf("%q: %s", test.args, stderr)
			continue
		}
		switch got := o.reconnects(); {
		case (got == nil) != (test.want == nil):
			t.Errorf("%q: %+v", test.args, got)
		case got != nil && (got.Resume != test.want.Resume || got.For != test.want.For || got.Events == nil):
			t.Errorf("%q: %+v", test.args, got)
		}
	}
}

// What happens is told in words.
func TestTells(t *testing.T) {
	lost := bridge.Ending{Code: 1006, Reason: "connection lost"}
	refused := errors.New("refused")
	for _, test := range []struct {
		resume bool
		event  bridge.Event
		want   string
	}{
		{true, bridge.Away{Ending: lost}, "the connection was lost; connecting again"},
		{true, bridge.Away{Ending: bridge.Ending{Code: 1006, Reason: "no answer to pings"}}, "the server does not answer pings; connecting again"},
		{false, bridge.Away{Ending: bridge.Ending{Code: 1012, Reason: "restart"}}, "closed by the server with 1012: restart; connecting again"},
		{true, bridge.Retrying{Err: refused, Wait: 1234 * time.Millisecond}, "refused; next try in 1.2s"},
		{true, bridge.Retrying{Err: lost, Wait: 612345 * time.Microsecond}, "the connection was lost; next try in 612ms"},
		{true, bridge.Back{After: time.Second, Resumed: true}, "connected again after 1s, where it was"},
		{true, bridge.Back{After: 90 * time.Second, Resumed: true, Again: 1}, "connected again after 1m30s, where it was; 1 message is sent again"},
		{true, bridge.Back{After: time.Second, Resumed: true, Again: 7}, "connected again after 1s, where it was; 7 messages are sent again"},
		{true, bridge.Back{After: time.Second}, "connected again after 1s, to a new run of the program"},
		{false, bridge.Back{After: time.Second}, "connected again after 1s, in a new session"},
	} {
		o := &connectOptions{url: "ws://h/"}
		o.resume = test.resume
		if got := o.tells(test.event); got != test.want {
			t.Errorf("%+v: %q, want %q", test.event, got, test.want)
		}
	}
}

func TestResumedText(t *testing.T) {
	for code, want := range map[int]string{
		1000: "", 1006: "", 4003: "",
		4404: "the server does not have this session any more (4404: why)",
		4409: "another client has continued this session (4409: why)",
		4410: "the server does not have the messages that come next any more (4410: why)",
	} {
		if got := resumedText(bridge.Ending{Code: code, Reason: "why"}); got != want {
			t.Errorf("%d: %q", code, got)
		}
	}
}

package cmd

import (
	"fmt"
	"strings"
	"testing"

	"github.com/wsbridge/wsbridge/bridge"
)

// What costs people an hour is told once for each cause, with what to do.
func TestHintsOnceEach(t *testing.T) {
	offers := func(names ...string) bridge.Event { return bridge.NoSubprotocol{Offered: names} }
	silent := func(program string) bridge.Event {
		return bridge.Silent{Info: bridge.Info{Program: program}, For: 5e9}
	}
	for _, test := range []struct {
		events []bridge.Event
		want   []string // in a line each
	}{
		{[]bridge.Event{offers("graphql-ws", "b"), offers("graphql-ws", "b"), offers("c")},
			[]string{`offered="graphql-ws, b" hint="if the command speaks it, start wsbridge with --subprotocol=graphql-ws"`, `with --subprotocol=c"`}},
		{[]bridge.Event{offers("$(reboot)", "a`b`", "c|d", "it's", strings.Repeat("x", 65))},
			[]string{`hint="name those that the command speaks with --subprotocol"`}},
		{[]bridge.Event{offers("$(reboot)", "v1.json")}, []string{`with --subprotocol=v1.json"`}},
		{[]bridge.Event{bridge.UpgradeLost{Missing: "Upgrade"}, bridge.UpgradeLost{Missing: "Upgrade"}, bridge.UpgradeLost{Missing: "HTTP/1.1"}},
			[]string{`missing=Upgrade hint="the proxy must speak HTTP/1.1 and pass on the headers Upgrade and Connection; see wsbridge-deploy(7)"`, `missing=HTTP/1.1`}},
		{[]bridge.Event{silent("./a"), silent("./a"), silent("./b")},
			[]string{`level=info msg="the program has sent nothing since its first input" id="" program=./a pid=0 since=5s hint="it may be buffering its output: start wsbridge with --unbuffer, or flush after every line; see wsbridge-recipes(7)"`, `program=./b`}},
	} {
		var b strings.Builder
		tell := withHints(0, false, newLogger(&b, "debug", "text"))
		for _, e := range test.events {
			tell(e)
		}
		lines := strings.Split(strings.TrimSuffix(b.String(), "\n"), "\n")
		if len(lines) != len(test.want) {
			t.Errorf("%v: %d lines:\n%s", test.events, len(lines), &b)
			continue
		}
		for i, want := range test.want {
			if !strings.Contains(lines[i], want) {
				t.Errorf("%v: not %s, but %s", test.events, want, lines[i])
			}
		}
	}
}

// Causes that clients make up do not fill the log or the memory, nor hide others.
func TestHintsOfManyCauses(t *testing.T) {
	var b strings.Builder
	tell := withHints(0, false, newLogger(&b, "debug", "text"))
	for i := range 10 * mostCauses {
		tell(bridge.NoSubprotocol{Offered: []string{fmt.Sprint("x", i)}})
	}
	tell(bridge.Silent{})
	if n := strings.Count(b.String(), "\n"); n != mostCauses+1 {
		t.Errorf("%d lines", n)
	}
}

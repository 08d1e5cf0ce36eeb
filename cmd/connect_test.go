package cmd

import (
	"testing"

	"github.com/wsbridge/wsbridge/bridge"
)

func TestCloseText(t *testing.T) {
	for _, test := range []struct {
		end  bridge.Close
		want string
	}{
		{bridge.Close{Code: 1001, Reason: "server shutting down"}, "closed by the server with 1001: server shutting down"},
		{bridge.Close{Code: 1011}, "closed by the server with 1011"},
		{bridge.Close{Code: 1009, Reason: "too big"}, "the connection was closed with 1009: too big"},
		{bridge.Close{Code: 1006, Reason: "connection lost"}, "the connection was lost without a close frame (1006)"},
	} {
		if got := closeText(test.end); got != test.want {
			t.Errorf("%v: %s", test.end, got)
		}
	}
}

package bridge

import (
	"io"
	"net/http"
	"strings"
	"testing"
)

func TestSubprotocol(t *testing.T) {
	for _, test := range []struct {
		name    string
		speaks  []string
		offers  []string // header lines
		answer  string   // what the client is told
		chosen  string   // what the child is told
		offered string
	}{
		{name: "none spoken, none offered"},
		{name: "none spoken", offers: []string{"chat"}, offered: "chat"},
		{name: "none offered", speaks: []string{"chat"}},
		{"the same", []string{"chat"}, []string{"chat"}, "chat", "chat", "chat"},
		{"none in common", []string{"chat"}, []string{"soap, wamp"}, "", "", "soap, wamp"},
		{"the server's order", []string{"v2", "v1"}, []string{"v1, v2"}, "v2", "v2", "v1, v2"},
		{"several lines", []string{"v2"}, []string{"v1", "v2,v3"}, "v2", "v2", "v1, v2,v3"},
		{"the client's letters", []string{"chat"}, []string{"Chat"}, "Chat", "chat", "Chat"},
		{"a part of a name", []string{"chat"}, []string{"chatter, superchat"}, "", "", "chatter, superchat"},
		{"other letters that look alike", []string{"k"}, []string{"\u212a"}, "", "", "\u212a"},
		{"nothing offered", []string{"chat"}, []string{" , "}, "", "", ","},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			h := child(&Handler{Subprotocols: test.speaks}, "env", "WEBSOCKET_PROTOCOL", "HTTP_SEC_WEBSOCKET_PROTOCOL")
			h.Env = append(h.Env, "WEBSOCKET_PROTOCOL=from Env")
			srv := serve(t, h)
			lines := []string{"Websocket-Protocol: from a header"}
			for _, offer := range test.offers {
				lines = append(lines, "Sec-WebSocket-Protocol: "+offer)
			}
			p := dial(t, srv.Listener.Addr().String())
			io.WriteString(p, handshakeFor(srv, "/", lines...))
			resp, err := http.ReadResponse(p.r, nil)
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.Join(resp.Header.Values("Sec-Websocket-Protocol"), "|"); resp.StatusCode != http.StatusSwitchingProtocols || got != test.answer {
				t.Errorf("answered %s with %q, want %q", resp.Status, got, test.answer)
			}
			if _, there := resp.Header["Sec-Websocket-Protocol"]; there && test.answer == "" {
				t.Error("an answer without a name") // on which clients fail
			}
			if got := p.message(); got != test.chosen {
				t.Errorf("WEBSOCKET_PROTOCOL=%q, want %q", got, test.chosen)
			}
			if got := p.message(); got != test.offered {
				t.Errorf("HTTP_SEC_WEBSOCKET_PROTOCOL=%q, want %q", got, test.offered)
			}
		})
	}
}

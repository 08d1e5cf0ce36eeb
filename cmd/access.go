package cmd

import (
	"net/netip"

	"github.com/wsbridge/wsbridge/bridge"
	"github.com/wsbridge/wsbridge/cmd/internal/site"
)

// accessOptions say who may connect, and what is answered.
type accessOptions struct {
	maxPerIP     int // as bridge.Limits.MaxPerAddress
	trustProxies []netip.Prefix
	origins      []bridge.Origin
	sameOrigin   bool
	headers      []site.Field
	headersWS    []site.Field
	headersHTTP  []site.Field
}

func (o *accessOptions) flags() flagGroup {
	g := newGroup("Who may connect, and what is answered")
	g.Var(newList(&o.origins, parseOrigins), "origin",
		"let in pages of these `origins` too: [scheme://]host[:port], comma separated; *.host means all names below it, * means any, null means pages opened from disk")
	g.BoolVar(&o.sameOrigin, "sameorigin", false, "let in only pages of the server's own scheme, host and port")
	g.Var(limitValue{&o.maxPerIP, bridge.DefaultMaxPerAddress}, "maxperip",
		"run at most `n` commands at once for an address (IPv6: a /64), refuse more with 429; 0 for no limit; loopback has no limit by default")
	g.Var(newList(&o.trustProxies, parseProxies), "trustproxy",
		"take the client's address from X-Forwarded-For or Forwarded, if the request comes from these `proxies` (addresses and ranges like 10.0.0.0/8, comma separated)")
	g.Var(newList(&o.headers, parseAnswerHeader), "header", "add `'Name: value'` to all answers; may be repeated")
	g.Var(newList(&o.headersWS, parseAnswerHeader), "header-ws", "add `'Name: value'` to the answers to WebSocket handshakes")
	g.Var(newList(&o.headersHTTP, parseAnswerHeader), "header-http", "add `'Name: value'` to the answers to plain requests")
	return g
}

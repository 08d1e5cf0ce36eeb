package bridge

import (
	"cmp"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Resume lets a program outlive its connection. A client connects with a key that
// it has chosen, as in ?resume=KEY. When the connection is lost, the client comes
// back with that key and continues where it was. A connection without a key has a
// program of its own, as without Resume.
//
// A connection is lost when it ends without a close frame, when its client does
// not answer pings, or when the client closes with 1001, as browsers do when a page
// is left. Any other close by the client ends the program.
//
// Messages to the client are kept until it has them. Its pongs say so, or the client
// itself does when it comes back with received=N. A client that offers the
// subprotocol wsbridge.v1 is told how many of its own messages the program has been
// given, so that it can send the others again.
type Resume struct {
	// For is how long a program goes on after its connection is lost. Zero means 2
	// minutes.
	For time.Duration

	// Buffer is how many bytes of messages are kept; when they are full, the program
	// waits. One read of the program's output may come on top. A message that is
	// larger than the buffer is kept alone. Zero means 1 MiB.
	Buffer int
}

// The defaults of the fields of Resume and Share.
const (
	DefaultResumeFor = 2 * time.Minute
	DefaultBuffer    = 1 << 20
)

var toResumed = []admitStep{
	(*admission).checkHandshake,
	(*admission).checkHost,
	(*admission).checkOrigin,
	(*admission).findProgram,
	(*admission).checkTerminal,
	(*admission).findResumed,
	unlessFound((*admission).takePlace),
	unlessFound((*admission).join),
	unlessFound((*admission).lookUpName),
}

// unlessFound makes a step that only requests that start a program take.
func unlessFound(step admitStep) admitStep {
	return func(a *admission) *Refusal {
		if a.visit != nil && (a.visit.hub != nil || a.visit.only) {
			return nil
		}
		return step(a)
	}
}

func (r Resume) steps() []admitStep { return toResumed }

func (r Resume) open(h *Handler, w http.ResponseWriter, a *admission) {
	v := a.visit
	if v == nil {
		h.open(w, a)
		return
	}
	v.join(h, w, a, h.ownOptions(a), func() *hub { return r.newHub(h, v) })
}

func (r Resume) newHub(h *Handler, v *visit) *hub {
	return newHub(h.service(), v.key, v.name, newID(), soleClient{}, hubOptions{
		buffer: cmp.Or(r.Buffer, DefaultBuffer),
		pings:  h.Bounds.pingInterval() > 0,
		alone:  cmp.Or(r.For, DefaultResumeFor),
	})
}

// The length of a key. It must be too long to guess: 22 characters hold 128 bits.
const (
	minKey = 22
	maxKey = 128
)

func isKey(s string) bool {
	for _, c := range []byte(s) {
		if c != '-' && c != '_' && (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') {
			return false
		}
	}
	return len(s) >= minKey && len(s) <= maxKey
}

var (
	badKey      = badHandshake("resume: a key must have 22 to 128 characters from A-Z, a-z, 0-9, - and _")
	badReceived = badHandshake("received: must be the number of a message")
)

// findResumed finds the session that a client continues, if it has a key. It takes the
// key out of the request, so that neither the program nor the log sees it.
func (a *admission) findResumed() *Refusal {
	rest, own := cutParameters(a.request.URL.RawQuery)
	if len(own["resume"]) == 0 {
		return nil
	}
	v := &visit{name: own["resume"][0], received: -1, environ: func(id string) []string { return a.environ(id) }}
	v.steps = []admitStep{(*admission).takePlace, (*admission).join}
	if len(own["resume"]) > 1 || !isKey(v.name) {
		return badKey
	}
	if refused := v.setReceived(own["received"]); refused != nil {
		return refused
	}
	v.number = a.handler.service().visits.Add(1)
	v.only = v.received > 0
	a.request = withQuery(a.request, rest)
	v.key = newHubKey(a.program.name(), a.request.URL.Path, a.request.Header.Get("Origin"), v.name)
	v.hub = a.handler.service().found(v.key)
	a.visit = v
	return nil
}

func (v *visit) setReceived(values []string) *Refusal {
	if len(values) == 0 {
		return nil
	}
	n, err := strconv.ParseUint(values[0], 10, 63)
	if len(values) > 1 || err != nil {
		return badReceived
	}
	v.received = int64(n)
	return nil
}

// cutParameters takes resume and received out of a query and returns their values. The
// rest of the query stays as the client wrote it.
func cutParameters(query string) (rest string, own map[string][]string) {
	own = make(map[string][]string)
	var others []string
	for part := range strings.SplitSeq(query, "&") {
		name, value, _ := strings.Cut(part, "=")
		name, err := url.QueryUnescape(name)
		if err != nil || name != "resume" && name != "received" {
			others = append(others, part)
			continue
		}
		if value, err = url.QueryUnescape(value); err != nil {
			value = "" // which neither resume nor received may be
		}
		own[name] = append(own[name], value)
	}
	return strings.Join(others, "&"), own
}

// withQuery returns a copy of a request with another query.
func withQuery(r *http.Request, query string) *http.Request {
	changed := *r
	u := *r.URL
	u.RawQuery = query
	changed.URL = &u
	path, _, _ := strings.Cut(r.RequestURI, "?")
	changed.RequestURI = path
	if query != "" {
		changed.RequestURI += "?" + query
	}
	return &changed
}

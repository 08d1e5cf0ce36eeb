package bridge

import (
	"cmp"
	"fmt"
	"net/http"
	"net/netip"
)

// addrOf is the address that rules and limits see. A peer that has none, at a
// unix socket, is on this machine.
func addrOf(r *http.Request) netip.Addr {
	host, _ := peerOf(r)
	addr, err := netip.ParseAddr(host)
	if err != nil {
		return netip.AddrFrom4([4]byte{127, 0, 0, 1})
	}
	return addr.Unmap().WithZone("")
}

// from says for whom a request counts, and how many like it there may be; not
// valid is nobody.
func (h *Handler) from(r *http.Request) (who netip.Prefix, limit int) {
	addr := addrOf(r)
	// A local proxy may bring strangers: those that it does not tell apart
	// share one limit.
	known, passedOn := proxied(r)
	local := addr.IsLoopback() && (known || !passedOn)
	if h.MaxPerAddress < 0 || h.MaxPerAddress == 0 && local {
		return netip.Prefix{}, 0
	}
	bits := addr.BitLen()
	if addr.Is6() {
		bits = 64
	}
	who, _ = addr.Prefix(bits)
	return who, cmp.Or(h.MaxPerAddress, DefaultMaxPerAddress)
}

// acquire takes a place among the sessions, and among those from the same
// address; release gives it back. newSessions is 1, or 0 for what is like a
// session but not counted by MaxSessions.
func (h *Handler) acquire(r *http.Request, newSessions int) (who netip.Prefix, err *refusal) {
	who, perAddress := h.from(r)
	h.mu.Lock()
	defer h.mu.Unlock()
	limit := cmp.Or(h.MaxForks, DefaultMaxForks)
	switch {
	case h.closed:
		return who, shuttingDown()
	case h.MaxSessions > 0 && h.begun+newSessions > h.MaxSessions:
		return who, &refusal{status: http.StatusServiceUnavailable, reason: "no more sessions", remedy: " (--once serves one)"}
	case limit > 0 && h.running >= limit:
		return who, &refusal{status: http.StatusTooManyRequests, reason: "too many sessions", remedy: " (--maxforks allows more)"}
	case who.IsValid() && h.perAddress[who] >= perAddress:
		return who, &refusal{status: http.StatusTooManyRequests, reason: "too many sessions from this address", remedy: allowMore(r, who)}
	}
	h.running++
	h.begun += newSessions
	if who.IsValid() {
		if h.perAddress == nil {
			h.perAddress = make(map[netip.Prefix]int)
		}
		h.perAddress[who]++
	}
	return who, nil
}

func shuttingDown() *refusal {
	return &refusal{status: http.StatusServiceUnavailable, reason: "server shutting down"}
}

// forget releases the place of a session that has not begun.
func (h *Handler) forget(who netip.Prefix) {
	h.mu.Lock()
	h.begun--
	h.mu.Unlock()
	h.release(who)
}

func (h *Handler) release(who netip.Prefix) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if n := h.perAddress[who]; n > 1 {
		h.perAddress[who] = n - 1
	} else {
		delete(h.perAddress, who)
	}
	h.running--
	if h.closed && h.running == 0 {
		close(h.gone)
	}
}

// allowMore names the flags that let in more from one address, which to a
// server behind a proxy is that of everybody.
func allowMore(r *http.Request, who netip.Prefix) string {
	from := who.String()
	if who.IsSingleIP() {
		from = who.Addr().String()
	}
	_, passedOn := proxied(r)
	if !passedOn && len(r.Header["X-Forwarded-For"])+len(r.Header["Forwarded"]) > 0 {
		return fmt.Sprintf(" %s (--maxperip allows more, --trustproxy=%s counts the clients of a proxy there)", from, addrOf(r))
	}
	return fmt.Sprintf(" %s (--maxperip allows more)", from)
}

package bridge

import (
	"net/http"
	"slices"
)

var otherSite = &Refusal{
	Status: http.StatusForbidden, Rule: RuleOrigin, Reason: "pages of other sites are not allowed",
	Detail: "(a browser says so by Sec-Fetch-Site)",
}

// checkSite refuses what a page of another site has a browser ask for without an Origin:
// images, frames and scripts (Fetch Metadata, https://www.w3.org/TR/fetch-metadata/). A
// user may follow a link from there, and a form that GETs in a window of its own cannot be
// told from one. An Origin, if there is one, was checked before, and is the better witness.
func (g *Gate) checkSite(r *http.Request) *Refusal {
	switch site := r.Header.Get("Sec-Fetch-Site"); {
	case r.Header.Get("Origin") != "" || slices.Contains(g.Origins, anyPage):
	case site != "cross-site" && site != "same-site":
	case site == "same-site" && isOnLoopback(r): // another port of the same machine
	case isLink(r):
	default:
		return otherSite
	}
	return nil
}

// isLink reports whether the user's browser goes to another page, in a window of its own.
func isLink(r *http.Request) bool {
	return r.Header.Get("Sec-Fetch-Mode") == "navigate" && r.Header.Get("Sec-Fetch-Dest") == "document" &&
		(r.Method == http.MethodGet || r.Method == http.MethodHead)
}

func isOnLoopback(r *http.Request) bool {
	host, _, err := splitHost(requestHost(r))
	return err == nil && isLoopback(host)
}

package bridge

import (
	"cmp"
	"net"
	"slices"
	"strings"
)

type variable struct{ name, value string }

// An environment is what a child finds there. No variable is set twice: of a name
// that stands twice some programs see the first and some the last.
type environment struct {
	list  []string
	taken map[string]bool
}

func newEnvironment(size int) *environment {
	return &environment{make([]string, 0, size), make(map[string]bool, size)}
}

// set sets a variable, unless it is set.
func (e *environment) set(name, value string) {
	if !e.taken[name] {
		e.taken[name] = true
		e.list = append(e.list, name+"="+value)
	}
}

// setAll sets variables ("NAME=value") that are not set; of several with one name
// the last counts, as in os/exec.
func (e *environment) setAll(variables []string) {
	for _, v := range slices.Backward(variables) {
		if i := 1 + strings.IndexByte(v[min(1, len(v)):], '='); i > 0 { // on Windows, names may begin with =
			e.set(v[:i], v[i+1:])
		}
	}
}

// environ is the child's environment: the program's own variables, the other
// ones of CGI (RFC 3875, section 4.1), what Handler.Env gives beside them, and
// the request's headers as HTTP_*. None sets a variable that one before it has
// set.
func (a *admission) environ(id string, own ...variable) []string {
	h, r := a.handler, a.request
	env := newEnvironment(24 + len(h.Env) + len(r.Header))
	set := env.set
	for _, v := range own {
		set(v.name, v.value)
	}
	for _, v := range a.program.vars {
		set(v.name, v.value)
	}
	serverName, serverPort, err := net.SplitHostPort(requestHost(r))
	if err != nil {
		serverName, serverPort = strings.Trim(requestHost(r), "[]"), "80"
		if r.TLS != nil {
			serverPort = "443"
		}
	}
	set("SERVER_SOFTWARE", h.serverSoftware())
	set("GATEWAY_INTERFACE", "CGI/1.1")
	set("SERVER_PROTOCOL", r.Proto)
	set("SERVER_NAME", serverName)
	set("SERVER_PORT", serverPort)
	set("REQUEST_METHOD", r.Method)
	set("REQUEST_URI", r.RequestURI)
	set("SCRIPT_NAME", "/")
	set("PATH_INFO", r.URL.Path)
	set("PATH_TRANSLATED", r.URL.Path)
	set("QUERY_STRING", r.URL.RawQuery)
	set("REMOTE_ADDR", a.client.host)
	set("REMOTE_HOST", cmp.Or(a.name, a.client.host))
	set("REMOTE_PORT", a.client.port)
	set("UNIQUE_ID", id)
	set("WEBSOCKET_PROTOCOL", a.programProtocol())
	for _, name := range []string{"AUTH_TYPE", "CONTENT_LENGTH", "CONTENT_TYPE", "REMOTE_IDENT", "REMOTE_USER"} {
		set(name, "") // known to CGI programs, and nothing that a handshake has
	}
	if r.TLS != nil {
		set("HTTPS", "on")
	}
	set("HTTP_HOST", r.Host)
	env.setAll(h.Env)
	for name, values := range r.Header {
		variable, ok := headerVariable(name)
		if !ok {
			continue
		}
		separator := ", "
		if name == "Cookie" {
			separator = "; "
		}
		set(variable, strings.Join(values, separator))
	}
	return env.list
}

// serverSoftware is the value of SERVER_SOFTWARE.
func (h *Handler) serverSoftware() string {
	for _, v := range slices.Backward(h.Env) {
		if name, ok := strings.CutPrefix(v, "SERVER_SOFTWARE="); ok {
			return name
		}
	}
	return "wsbridge"
}

// headerVariable is the variable that a header becomes. Proxy becomes none:
// HTTP_PROXY is what programs take their own proxy from (httpoxy,
// CVE-2016-5385). Nor does a header with another character than letters,
// digits and hyphens, which could pass for one that it is not.
func headerVariable(name string) (string, bool) {
	for _, c := range []byte(name) {
		if c != '-' && (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') {
			return "", false
		}
	}
	variable := "HTTP_" + strings.ReplaceAll(strings.ToUpper(name), "-", "_")
	return variable, variable != "HTTP_PROXY"
}

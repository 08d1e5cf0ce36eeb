package bridge

// An Origin is a rule for pages that may connect: [scheme://]host[:port].
type Origin struct{ scheme, host, port string }

// ParseOrigin reads one rule: [scheme://]host[:port] (without a scheme either,
// without a port any), "*" for every page, "null" for pages opened from disk.
func ParseOrigin(s string) (Origin, error) { return Origin{}, nil }

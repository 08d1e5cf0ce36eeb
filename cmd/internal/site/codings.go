package site

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// codings are the content codings of files that may lie beside the original,
// the one that makes the smallest files first.
var codings = []struct{ name, suffix string }{
	{"br", ".br"},
	{"zstd", ".zst"},
	{"gzip", ".gz"},
}

// identity is the content coding of a file as it is.
const identity = "identity"

// acceptedCodings are the content codings that a client takes, the one that it
// likes most first (RFC 9110, section 12.5.3). Between those that it likes
// equally, our order decides; identity comes last unless it is named.
func acceptedCodings(header []string) []string {
	weights := map[string]float64{}
	for _, line := range header {
		for element := range strings.SplitSeq(line, ",") {
			if coding, weight, ok := parseCoding(element); ok {
				weights[coding] = weight
			}
		}
	}
	anyOther, hasAny := weights["*"]
	if _, named := weights[identity]; !named && !hasAny {
		weights[identity] = 0.0001 // less than can be said
	}
	weigh := func(coding string) float64 {
		if weight, ok := weights[coding]; ok {
			return weight
		}
		return anyOther
	}
	var accepted []string
	for _, c := range codings {
		accepted = append(accepted, c.name)
	}
	accepted = slices.DeleteFunc(append(accepted, identity), func(coding string) bool { return weigh(coding) == 0 })
	slices.SortStableFunc(accepted, func(a, b string) int { return cmp.Compare(weigh(b), weigh(a)) })
	return accepted
}

// parseCoding reads an element of an Accept-Encoding header: gzip, br;q=0.5.
func parseCoding(element string) (coding string, weight float64, ok bool) {
	coding, params, _ := strings.Cut(strings.ToLower(element), ";")
	coding = strings.Trim(coding, " \t")
	if coding == "x-gzip" { // RFC 9110, section 8.4.1.3
		coding = "gzip"
	}
	if coding == "" {
		return "", 0, false
	}
	value, hasWeight := strings.CutPrefix(strings.Trim(params, " \t"), "q=")
	if !hasWeight {
		return coding, 1, params == ""
	}
	weight, err := strconv.ParseFloat(value, 64)
	return coding, weight, err == nil && weight >= 0 && weight <= 1
}

package cmd

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestLinks follows the links from one text of the project to another, and to the
// headings in it as GitHub names them.
func TestLinks(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)#:]*)(?:#([^)]*))?\)`)
	for _, from := range append(writtenPages(t), "../README.md", "../examples/README.md", "../.github/CONTRIBUTING.md") {
		for _, m := range link.FindAllStringSubmatch(readText(t, from), -1) {
			to := from
			if m[1] != "" {
				to = filepath.Join(filepath.Dir(from), m[1])
			}
			if _, err := os.Stat(to); err != nil {
				t.Errorf("%s links to what is not there: %v", from, err)
			} else if m[2] != "" && !anchors(readText(t, to))[m[2]] {
				t.Errorf("%s: %s has no heading #%s", from, to, m[2])
			}
		}
	}
}

func readText(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(plainNewlines(text))
}

func anchors(text string) map[string]bool {
	found := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^#+ (.*)$`).FindAllStringSubmatch(text, -1) {
		name := regexp.MustCompile(`[^a-z0-9 -]`).ReplaceAllString(strings.ToLower(m[1]), "")
		found[strings.ReplaceAll(name, " ", "-")] = true
	}
	return found
}

// TestReadmeIsShort: what a new user must know first fits on a few screens. The rest
// belongs to the manual pages.
func TestReadmeIsShort(t *testing.T) {
	if n := strings.Count(readText(t, "../README.md"), "\n"); n > 150 {
		t.Errorf("README.md has %d lines, want at most 150", n)
	}
}

package cmd

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
)

var update = flag.Bool("update", false, "write what is generated instead of comparing with it")

// TestManPage keeps ../man in step with the commands; go generate writes it.
func TestManPage(t *testing.T) {
	root := newRootCmd(streams{}, nil, nil)
	// The one default that differs by system.
	root.Flags().Lookup("passenv").DefValue = defaultPassEnv("linux")
	for _, cmd := range []*cobra.Command{root, find(t, root, "connect")} {
		name := filepath.Join("..", "man", strings.ReplaceAll(cmd.CommandPath(), " ", "-")+".1")
		got := manPage(t, cmd)
		if *update {
			if err := os.WriteFile(name, got, 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		want, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if want = bytes.ReplaceAll(want, []byte("\r\n"), []byte("\n")); !bytes.Equal(got, want) {
			t.Errorf("%s differs from the commands: run go generate ./...", name)
		}
	}
}

var optionLine = regexp.MustCompile(`(?m)(?:^\.PP\n)?^(\\fB-.*\\fP)(?:\[=false\]|\[=\]|=""|=$|(=.+))\n\t`)

func find(t *testing.T, root *cobra.Command, name string) *cobra.Command {
	t.Helper()
	cmd, _, err := root.Find([]string{name})
	if err != nil || cmd.Name() != name {
		t.Fatalf("no command %s: %v", name, err)
	}
	return cmd
}

func manPage(t *testing.T, cmd *cobra.Command) []byte {
	t.Helper()
	cmd.DisableAutoGenTag = true
	var page bytes.Buffer
	err := doc.GenMan(cmd, &doc.GenManHeader{
		Section: "1",
		Source:  "wsbridge",
		Manual:  "User Commands",
		Date:    &time.Time{},
	}, &page)
	if err != nil {
		t.Fatal(err)
	}
	// A date would say when the page was made, not how old the text is; and
	// the page of completion does not exist.
	text := strings.Replace(page.String(), `"Jan 0001"`, `""`, 1)
	text = strings.Replace(text, `\fBwsbridge-completion(1)\fP, `, "", 1)
	// Each flag as other man pages have it, and no default that says nothing.
	text = optionLine.ReplaceAllString(text, ".TP\n$1$2\n")
	return []byte(text)
}

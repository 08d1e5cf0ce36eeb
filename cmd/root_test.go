package cmd

import (
	"bytes"
	"context"
	"os"
	"strings"
	"testing"
)

func output(t *testing.T, args ...string) string {
	t.Helper()
	var stdout, stderr bytes.Buffer
	status := run(context.Background(), args, streams{strings.NewReader(""), &stdout, &stderr})
	if status != 0 || stderr.Len() > 0 {
		t.Fatalf("%q: exit status %d, %s", args, status, &stderr)
	}
	return stdout.String()
}

func TestHelp(t *testing.T) {
	help := output(t, "--help")
	for _, want := range []string{"Usage:\n  wsbridge [flags] COMMAND [ARG...]\n", "\nExamples:\n", "\nWhere it listens:\n", "--logformat", "default 8080"} {
		if !strings.Contains(help, want) {
			t.Errorf("the help lacks %q", want)
		}
	}
	// What no group has would not be shown.
	root := newRootCmd(streams{}, nil, nil)
	for line := range strings.SplitSeq(root.LocalFlags().FlagUsages(), "\n") {
		if _, flag, ok := strings.Cut(line, "--"); ok {
			flag, _, _ = strings.Cut(flag, " ")
			if !strings.Contains(help, "--"+flag+" ") {
				t.Errorf("the help lacks --%s", flag)
			}
		}
	}
	if got := output(t, "-h"); got != help {
		t.Error("-h differs from --help")
	}
	if got := output(t, "connect", "--help"); !strings.Contains(got, "--linger") || strings.Contains(got, "--staticdir") {
		t.Error(got)
	}
}

func TestVersion(t *testing.T) {
	old := version
	t.Cleanup(func() { version = old })
	version = "1.2.3"
	if got := output(t, "--version"); !strings.HasPrefix(got, "wsbridge 1.2.3 (") || strings.Count(got, "\n") != 1 {
		t.Errorf("%q", got)
	}
	version = ""
	if got := output(t, "--version"); !strings.HasPrefix(got, "wsbridge ") {
		t.Errorf("%q", got)
	}
}

func TestLicense(t *testing.T) {
	want, err := os.ReadFile("../LICENSE")
	if err != nil {
		t.Fatal(err)
	}
	// A checkout may have given each of the files its own newlines.
	plain := func(s string) string { return strings.ReplaceAll(s, "\r\n", "\n") }
	if plain(output(t, "--license")) != plain(string(want)) {
		t.Error("license.txt differs from ../LICENSE")
	}
}

package cmd

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/cpuguy83/go-md2man/v2/md2man"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

var update = flag.Bool("update", false, "write what is generated instead of comparing with it")

// TestManPage keeps ../man in step with the commands and with the texts there; go
// generate writes it.
func TestManPage(t *testing.T) {
	root := newRootCmd(streams{}, nil, nil)
	connect := find(t, root, "connect")
	texts := map[string]string{
		"wsbridge.1":         commandPage(root, serveGroups(), manSeeAlso),
		"wsbridge-connect.1": commandPage(connect, []flagGroup{{"", new(connectOptions).flags().FlagSet}}, "**wsbridge**(1), **wsbridge-protocol**(7)"),
	}
	for _, name := range writtenPages(t) {
		texts[strings.TrimSuffix(filepath.Base(name), ".md")] = readText(t, name)
	}
	for name, text := range texts {
		name = filepath.Join("..", "man", name)
		got := manPage(text)
		if fences := strings.Count(text, "\n```") + strings.Count(text, "\n~~~"); bytes.Count(got, []byte("\n.EX\n"))*2 != fences {
			t.Errorf("%s: a code block is not shown as one; between a list and code there must be a line of text", name)
		}
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
		if !bytes.Equal(got, plainNewlines(want)) {
			t.Errorf("%s is not up to date: run go generate ./...", name)
		}
	}
}

// writtenPages are the texts of the pages that are not made of the commands.
func writtenPages(t *testing.T) []string {
	names, err := filepath.Glob(filepath.Join("..", "man", "*.md"))
	if err != nil || len(names) == 0 {
		t.Fatal("no pages", err)
	}
	return names
}

// plainNewlines undoes what a checkout on Windows may have done.
func plainNewlines(text []byte) []byte { return bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n")) }

func find(t *testing.T, root *cobra.Command, name string) *cobra.Command {
	t.Helper()
	cmd, _, err := root.Find([]string{name})
	if err != nil || cmd.Name() != name {
		t.Fatalf("no command %s: %v", name, err)
	}
	return cmd
}

// serveGroups are the flags of the server under the headings of its help.
func serveGroups() []flagGroup {
	groups := new(serveOptions).groups(new(bool), new(bool))
	for _, g := range groups {
		if f := g.Lookup("passenv"); f != nil {
			f.DefValue = defaultPassEnv("linux") // the one default that differs by system
		}
	}
	return groups
}

// commandPage is the Markdown of a command's page.
func commandPage(cmd *cobra.Command, groups []flagGroup, seeAlso string) string {
	var page strings.Builder
	fmt.Fprintf(&page, "# %s(1): %s\n", strings.ReplaceAll(cmd.CommandPath(), " ", "-"), cmd.Short)
	fmt.Fprintf(&page, "\n## Synopsis\n\n**%s**\n", cmd.UseLine())
	fmt.Fprintf(&page, "\n## Description\n\n%s\n", cmd.Long)
	fmt.Fprintf(&page, "\n## Options\n")
	for _, g := range groups {
		if g.title != "" {
			fmt.Fprintf(&page, "\n### %s\n", g.title)
		}
		g.VisitAll(func(f *pflag.Flag) { page.WriteString("\n" + option(f)) })
	}
	fmt.Fprintf(&page, "\n## Examples\n\n```\n%s\n```\n", regexp.MustCompile(`(?m)^  `).ReplaceAllString(cmd.Example, ""))
	fmt.Fprintf(&page, "\n## See also\n\n%s\n", seeAlso)
	return page.String()
}

// option is the entry of a flag: what it takes, what it does, and its default if it
// has one.
func option(f *pflag.Flag) string {
	value, usage := pflag.UnquoteUsage(f)
	if usage != f.Usage { // it names the value
		name := value
		if value == strings.ToLower(value) {
			value = strings.ToUpper(value)
		}
		usage = strings.Replace(f.Usage, "`"+name+"`", "_"+value+"_", 1)
	}
	name := "**--" + f.Name + "**"
	if f.Shorthand != "" {
		name = "**-" + f.Shorthand + "**, " + name
	}
	switch {
	case f.NoOptDefVal == "":
		name += "=_" + value + "_"
	case f.NoOptDefVal != "true":
		for word := range strings.SplitSeq(f.Value.Type(), "|") {
			if word != f.NoOptDefVal {
				name += "[=**" + word + "**]"
			}
		}
	}
	usage = strings.NewReplacer("*", `\*`, "<", `\<`).Replace(usage)
	if f.NoOptDefVal == "" && f.DefValue != "" && f.DefValue != "0" && f.DefValue != "0s" {
		usage += fmt.Sprintf(" (default %s)", f.DefValue)
	}
	return name + "\n: " + usage + "\n"
}

var (
	title   = regexp.MustCompile(`^# ([a-z-]+)\((\d)\): (.*)\n`)
	heading = regexp.MustCompile(`(?m)^## .*`)
	toPage  = regexp.MustCompile(`\[([a-z-]+)\((\d)\)\]\([^)]*\)`)
	toWeb   = regexp.MustCompile(`\[([^\]]+)\]\((?:\.\./|#)[^)]*\)`)
	fence   = regexp.MustCompile("(?m)^```.+$")
	cell    = regexp.MustCompile(`T\{\n(.*)\nT\}\n\t`)
	table   = regexp.MustCompile(`allbox;\nl ((?:l )*)\nl (?:l )*\.\n`)
	code    = regexp.MustCompile(`(?s)\n\.EX\n(.*?)\.EE\n`)
)

// manPage makes a page of Markdown that is written for GitHub too: its first line
// is "# name(section): what it is", and links to other pages and files of the
// project are of no use in a terminal.
func manPage(text string) []byte {
	manuals := map[string]string{"1": "User Commands", "7": "wsbridge"}
	m := title.FindStringSubmatch(text)
	if m == nil {
		panic("no title: " + text[:min(len(text), 80)])
	}
	text = fmt.Sprintf("# %q %q \"\" \"wsbridge\" %q\n\n## NAME\n\n%s - %s\n", strings.ToUpper(m[1]), m[2], manuals[m[2]], m[1], m[3]) +
		strings.TrimPrefix(text, m[0])
	text = heading.ReplaceAllStringFunc(text, strings.ToUpper)
	text = toPage.ReplaceAllString(text, "**$1**($2)")
	text = toWeb.ReplaceAllString(text, "$1")
	text = fence.ReplaceAllStringFunc(text, func(string) string { return "```" })
	page := md2man.Render([]byte(text))
	// Tables are without lines around each cell, and their last column is the one
	// whose text is wrapped.
	page = cell.ReplaceAll(page, []byte("$1\t"))
	page = table.ReplaceAllFunc(page, func(s []byte) []byte {
		columns := bytes.Count(bytes.SplitN(s, []byte("\n"), 3)[1], []byte("l"))
		return fmt.Appendf(nil, "%s\n%slx.\n", "nospaces;", strings.Repeat("l ", columns-1))
	})
	// What is to be typed stands out from the text around it.
	page = code.ReplaceAll(page, []byte("\n.RS 2\n.EX\n$1.EE\n.RE\n"))
	return page
}

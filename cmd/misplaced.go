package cmd

import (
	"log/slog"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/wsbridge/wsbridge/cmd/internal/hint"
)

// misplaced is what looks like a slip in a command line that is valid as it stands.
type misplaced struct {
	command string
	flags   []string // flags of ours among the arguments of the command
	valued  string   // a flag that takes no separate value; the command looks like one
}

// findMisplaced looks for slips in a command line: its flags, which have been parsed, and
// the command that follows. A "--" before the command says that it is meant.
func findMisplaced(flags *pflag.FlagSet, args []string) misplaced {
	if len(args) == 0 || flags.ArgsLenAtDash() == 0 {
		return misplaced{}
	}
	m := misplaced{command: args[0]}
	for _, arg := range args[1:] {
		if arg == "--" {
			break
		}
		if name, _, _ := strings.Cut(arg, "="); isMisplaced(flags, name) && !slices.Contains(m.flags, name) {
			m.flags = append(m.flags, name)
		}
	}
	var last *pflag.Flag
	flags.Visit(func(f *pflag.Flag) { last = f }) // in the order of the command line
	if last != nil && last.NoOptDefVal != "" && isValueOf(last, args[0]) {
		m.valued = "--" + last.Name
	}
	return m
}

// isMisplaced reports whether an argument of the command is the name of one of our flags.
// Every program may have those that only ask for something.
func isMisplaced(flags *pflag.FlagSet, arg string) bool {
	name, ok := strings.CutPrefix(arg, "--")
	return ok && flags.Lookup(name) != nil && !slices.Contains([]string{"help", "version", "license"}, name)
}

// isValueOf reports whether a word is a value of a flag that takes it only after "=".
func isValueOf(f *pflag.Flag, word string) bool {
	if choice, ok := f.Value.(*choiceValue); ok {
		return slices.Contains(choice.of, word)
	}
	return slices.Contains([]string{"true", "false", "yes", "no", "on", "off", "1", "0"}, strings.ToLower(word))
}

// warn logs what was found.
func (m misplaced) warn(log *slog.Logger) {
	if len(m.flags) > 0 {
		log.Warn("flags after the command go to the command", "command", m.command, "flags", strings.Join(m.flags, " "),
			"hint", "put wsbridge's own before it; to silence this, write -- before it")
	}
	if m.valued != "" {
		log.Warn("the word after "+m.valued+" is taken as the command", "command", m.command,
			"hint", m.valueHint()+"; to silence this, write -- before the command")
	}
}

func (m misplaced) valueHint() string {
	return "write the value of this flag after =: " + m.valued + "=" + quoteWord(m.command)
}

// explain adds to the error of a command that cannot be run.
func (m misplaced) explain(err error) error {
	if m.valued == "" {
		return err
	}
	return hint.Add(err, "it is the word after "+m.valued+"; "+m.valueHint())
}

package cmd

import (
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/wsbridge/wsbridge/bridge"
	"github.com/wsbridge/wsbridge/cmd/internal/listen"
)

// must is for errors that only a mistake in this package can cause.
func must(err error) {
	if err != nil {
		panic(err)
	}
}

// A flagGroup is a set of flags under one heading of the help.
type flagGroup struct {
	title string
	*pflag.FlagSet
}

func newGroup(title string) flagGroup {
	flags := pflag.NewFlagSet(title, pflag.ContinueOnError)
	flags.SortFlags = false
	return flagGroup{title, flags}
}

// completeFlags lets the shell complete the words of a choice, and files where
// a flag is marked to take some.
func completeFlags(cmd *cobra.Command) {
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		complete := cobra.CompletionFunc(cobra.NoFileCompletions)
		if choice, ok := f.Value.(*choiceValue); ok {
			complete = choice.complete
		}
		if len(f.Annotations) == 0 {
			must(cmd.RegisterFlagCompletionFunc(f.Name, complete))
		}
	})
}

// A listValue is a flag that may be repeated. The first value given replaces
// the default, the others add to it.
type listValue[T any] struct {
	into  *[]T
	parse func(string) ([]T, error)
	text  []string
	given bool
}

func newList[T any](into *[]T, parse func(string) ([]T, error), defaults ...string) *listValue[T] {
	v := &listValue[T]{into: into, parse: parse, text: defaults}
	for _, s := range defaults {
		elems, err := parse(s)
		if err != nil {
			panic(err)
		}
		*into = append(*into, elems...)
	}
	return v
}

func (v *listValue[T]) Set(s string) error {
	elems, err := v.parse(s)
	if err != nil {
		return err
	}
	if !v.given {
		*v.into, v.text, v.given = nil, nil, true
	}
	*v.into = append(*v.into, elems...)
	v.text = append(v.text, s)
	return nil
}

func (v *listValue[T]) String() string { return strings.Join(v.text, ",") }
func (v *listValue[T]) Type() string   { return "list" }

// A choiceValue is a flag that takes one of a few words.
type choiceValue struct {
	into *string
	of   []string
}

func newChoice(into *string, byDefault string, of ...string) *choiceValue {
	*into = byDefault
	return &choiceValue{into, of}
}

func (v *choiceValue) Set(s string) error {
	if !slices.Contains(v.of, s) {
		return fmt.Errorf("must be one of %s", strings.Join(v.of, ", "))
	}
	*v.into = s
	return nil
}

func (v *choiceValue) String() string { return *v.into }
func (v *choiceValue) Type() string   { return strings.Join(v.of, "|") }

// complete offers the words to the shell.
func (v *choiceValue) complete(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return v.of, cobra.ShellCompDirectiveNoFileComp
}

// commaSeparated makes a listValue's parser of that of one element.
func commaSeparated[T any](parse func(string) (T, error)) func(string) ([]T, error) {
	return func(s string) ([]T, error) {
		var elems []T
		for part := range strings.SplitSeq(s, ",") {
			part = strings.TrimSpace(part)
			if part == "" {
				continue
			}
			elem, err := parse(part)
			if err != nil {
				return nil, err
			}
			elems = append(elems, elem)
		}
		return elems, nil
	}
}

// A limitValue keeps 0 for "not given", because the default exempts loopback. No
// limit is a negative number.
type limitValue struct {
	into      *int
	byDefault int
}

func (v limitValue) Set(s string) error {
	n, err := strconv.Atoi(s)
	if err != nil {
		return err
	}
	if n <= 0 {
		n = -1
	}
	*v.into = n
	return nil
}

func (v limitValue) String() string { return strconv.Itoa(max(0, cmp.Or(*v.into, v.byDefault))) }
func (v limitValue) Type() string   { return "int" }

// parseProxies reads a value of --trustproxy.
var parseProxies = commaSeparated(func(s string) (netip.Prefix, error) {
	if addr, err := netip.ParseAddr(s); err == nil && addr.Zone() == "" {
		addr = addr.Unmap()
		return netip.PrefixFrom(addr, addr.BitLen()), nil
	}
	prefix, err := netip.ParsePrefix(s)
	if err != nil || prefix.Addr().Is4In6() {
		return prefix, fmt.Errorf("%q is neither an IP address nor a range like 10.0.0.0/8", s)
	}
	return prefix.Masked(), nil
})

var parseOrigins = commaSeparated(bridge.ParseOrigin)

// defaultPassEnv names the variables that most programs need to start.
func defaultPassEnv(goos string) string {
	switch goos {
	case "windows":
		return "PATH,SystemRoot,COMSPEC,PATHEXT,WINDIR"
	case "darwin":
		return "PATH,DYLD_LIBRARY_PATH"
	default:
		return "PATH,LD_LIBRARY_PATH"
	}
}

// parseEnvRule checks one element of --passenv: NAME, NAME=value or *.
func parseEnvRule(s string) (string, error) {
	name, _, _ := strings.Cut(s, "=")
	if name == "" || strings.ContainsRune(s, 0) {
		return "", fmt.Errorf("%q is not the name of a variable", s)
	}
	return s, nil
}

// passedEnv is the part of our environment that the rules pass to the child.
// Empty variables are not passed on, nor those that systemd sets for this process.
func passedEnv(rules []string) []string {
	var env []string
	for _, rule := range rules {
		if rule == "*" {
			env = append(env, slices.DeleteFunc(os.Environ(), listen.IsSystemdVariable)...)
		} else if strings.Contains(rule, "=") {
			env = append(env, rule)
		} else if value := os.Getenv(rule); value != "" && !listen.IsSystemdVariable(rule) {
			env = append(env, rule+"="+value)
		}
	}
	return env
}

// doubleDashes lets flags be written with a single dash, -port=8080, as Go's
// own flag package does. It looks no further than the flags before the command.
func doubleDashes(flags *pflag.FlagSet, args []string) []string {
	args = slices.Clone(args)
	for i := 0; i < len(args); i++ {
		arg := args[i]
		if arg == "--" || arg == "-" || !strings.HasPrefix(arg, "-") {
			break
		}
		name, _, hasValue := strings.Cut(strings.TrimLeft(arg, "-"), "=")
		flag := flags.Lookup(name)
		if flag == nil {
			continue
		}
		if len(name) > 1 && !strings.HasPrefix(arg, "--") {
			args[i] = "-" + arg
		}
		if !hasValue && flag.NoOptDefVal == "" {
			i++ // the flag's value
		}
	}
	return args
}

// flagError rewords pflag's error about a bad flag.
func flagError(cmd *cobra.Command, err error) error {
	if e, ok := errors.AsType[*pflag.InvalidValueError](err); ok {
		cause := errors.Unwrap(e)
		if _, ok := errors.AsType[*strconv.NumError](err); ok {
			cause = errors.New("not a number, or out of range")
			if e.GetFlag().Value.Type() == "bool" {
				cause = errors.New("must be true or false")
			}
		}
		return usage(cmd, flagProblem(e.GetFlag().Name, e.GetValue(), cause))
	}
	if e, ok := errors.AsType[*pflag.NotExistError](err); ok {
		name := e.GetSpecifiedName()
		if short := e.GetSpecifiedShortnames(); short != "" {
			name, err = short, fmt.Errorf("unknown flag: -%s", short)
		}
		return unknownFlag(cmd, name, err)
	}
	return usage(cmd, err)
}

// unknownFlag is a usage error that names the flags that may have been meant.
func unknownFlag(cmd *cobra.Command, name string, err error) error {
	// What cobra finds is commands.
	flags := &cobra.Command{SuggestionsMinimumDistance: 2}
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		flags.AddCommand(&cobra.Command{Use: f.Name, Run: func(*cobra.Command, []string) {}})
	})
	name, _, _ = strings.Cut(name, "=")
	e := usage(cmd, err)
	if similar := flags.SuggestionsFor(name); len(similar) > 0 {
		e.Hint = fmt.Sprintf("did you mean --%s? %s", strings.Join(similar, " or --"), e.Hint)
	}
	return e
}

func flagProblem(name string, value any, cause error) error {
	return fmt.Errorf("--%s=%v: %w", name, value, cause)
}

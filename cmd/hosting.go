package cmd

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/wsbridge/wsbridge/bridge"
)

// hostingOptions say which connections a program serves.
type hostingOptions struct {
	resume       time.Duration
	resumeBuffer int

	share       string // empty, or a word of shareWords
	keep        time.Duration
	restart     bool
	replay      int
	shareBuffer int
	slow        string
	maxClients  int

	readOnly bool
	given    func(flag string) bool
}

// The words of --share and --slow.
const (
	sharePrograms = "program"
	shareURLs     = "url"
	slowClose     = "close"
	slowSkip      = "skip"
	slowWait      = "wait"
)

// ofShare are the flags that only --share gives a meaning.
var ofShare = []string{"keep", "restart", "replay", "sharebuffer", "slow", "maxclients"}

func (o *hostingOptions) flags() flagGroup {
	g := newGroup("A program that outlives its connection, or serves many")
	g.DurationVar(&o.resume, "resume", 0, "keep a program for this `time` (2m) after its connection is lost; its client comes back with ?resume=KEY, where it chose KEY, as pages do with /.wsbridge/client.js")
	o.resumeBuffer = bridge.DefaultBuffer
	g.Var(sizeValue{&o.resumeBuffer}, "resumebuffer", "keep up to `size` bytes of messages that a client of --resume may not have yet; when they are full, the program waits; 64KiB if not given with --pty")
	share := g.VarPF(newChoice(&o.share, "", sharePrograms, shareURLs), "share", "", "run one program for all clients; with =url one for each path and query")
	share.NoOptDefVal = sharePrograms
	g.Var(keepValue{&o.keep}, "keep", "keep a shared program for this `time` after its last client has left; forever starts it with the server")
	g.BoolVar(&o.restart, "restart", false, "start a shared program again when it exits; its clients stay connected")
	g.IntVar(&o.replay, "replay", 0, "send a new client the last `n` messages of a shared program first")
	o.shareBuffer = bridge.DefaultBuffer
	g.Var(sizeValue{&o.shareBuffer}, "sharebuffer", "keep the newest messages of a shared program, up to `size` bytes, for all clients together")
	g.Var(newChoice(&o.slow, slowClose, slowClose, slowSkip, slowWait), "slow",
		"if a client falls out of --sharebuffer: close it (1013), skip to the newest message, or make the program wait")
	g.IntVar(&o.maxClients, "maxclients", bridge.DefaultMaxClients, "allow at most `n` connections to shared programs, refuse more with 429; 0 for no limit")
	g.BoolVar(&o.readOnly, "readonly", false, "drop the messages of clients: the command only talks")
	o.given = g.Changed
	return g
}

func (o *hostingOptions) check() error {
	switch {
	case o.given("resume") && o.resume <= 0:
		return flagProblem("resume", o.resume, errors.New("must be positive, like 2m"))
	case o.resume > 0 && o.share != "":
		return errors.New("--resume cannot be combined with --share: a client of a shared program can come back without it")
	case o.given("resumebuffer") && o.resume == 0:
		return errors.New("--resumebuffer needs --resume")
	case o.keep < 0 && o.share == shareURLs:
		return errors.New("--keep=forever cannot be combined with --share=url: there is no URL to start a program for")
	case o.replay < 0:
		return flagProblem("replay", o.replay, errors.New("must not be negative"))
	}
	if o.share == "" {
		for _, name := range ofShare {
			if o.given(name) {
				return fmt.Errorf("--%s needs --share", name)
			}
		}
	}
	return nil
}

// hosting returns the bridge's Hosting; nil if each connection has its own program.
func (o *hostingOptions) hosting() bridge.Hosting {
	switch {
	case o.resume > 0:
		return bridge.Resume{For: o.resume, Buffer: o.resumeBuffer}
	case o.share != "":
		return bridge.Share{
			ByURL:   o.share == shareURLs,
			Keep:    o.keep,
			Restart: o.restart,
			Replay:  o.replay,
			Buffer:  o.shareBuffer,
			Slow:    map[string]bridge.Slow{slowClose: bridge.SlowClose, slowSkip: bridge.SlowSkip, slowWait: bridge.SlowWait}[o.slow],
		}
	}
	return nil
}

// A keepValue is a time; forever is stored as a negative one.
type keepValue struct{ into *time.Duration }

const forever = "forever"

func (v keepValue) Set(s string) error {
	if s == forever {
		*v.into = -1
		return nil
	}
	d, err := time.ParseDuration(s)
	if err != nil || d < 0 {
		return fmt.Errorf("must be a time like 30s, or %s", forever)
	}
	*v.into = d
	return nil
}

func (v keepValue) String() string {
	if *v.into < 0 {
		return forever
	}
	return v.into.String()
}

func (keepValue) Type() string { return "time" }

// A sizeValue is a number of bytes, as in 65536, 64KiB or 1MiB.
type sizeValue struct{ into *int }

var sizeUnits = []struct {
	suffix string
	bytes  int
}{{"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}, {"", 1}}

func (v sizeValue) Set(s string) error {
	for _, unit := range sizeUnits {
		digits, ok := strings.CutSuffix(s, unit.suffix)
		if !ok {
			continue
		}
		n, err := strconv.ParseUint(digits, 10, 31)
		if err != nil || n == 0 || n > uint64(maxSize/unit.bytes) {
			break
		}
		*v.into = int(n) * unit.bytes
		return nil
	}
	return errors.New("must be a size from 1 byte to 1GiB, like 65536, 64KiB or 1MiB")
}

// maxSize bounds a buffer: each program has one.
const maxSize = 1 << 30

func (v sizeValue) String() string {
	for _, unit := range sizeUnits {
		if n := *v.into; n > 0 && n%unit.bytes == 0 {
			return strconv.Itoa(n/unit.bytes) + unit.suffix
		}
	}
	return "0"
}

func (sizeValue) Type() string { return "size" }

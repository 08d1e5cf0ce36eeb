package cmd

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/wsbridge/wsbridge/cmd/internal/hint"
	"github.com/wsbridge/wsbridge/cmd/internal/listen"
	"github.com/wsbridge/wsbridge/cmd/internal/site"
)

// What the packages below know nothing of, the flags, is named here.
func TestHints(t *testing.T) {
	for _, test := range []struct {
		err  error
		want string // in the hint; empty: there is none
	}{
		{errors.New("it broke"), ""},
		{fmt.Errorf("that: %w", hint.Add(errors.New("it broke"), "mend it")), "mend it"},
		{&listen.NoCertificateError{File: "a", HasKey: true}, "--sslkey"},
		{&listen.NoCertificateError{File: "a"}, ""}, // it comes with a hint
		{fmt.Errorf("that: %w", listen.ErrLive), "another --unixsocket"},
		{fmt.Errorf("that: %w", listen.ErrNotSocket), "another --unixsocket, or remove"},
		{site.ErrBelowPrograms, "--cgidir"},
		{portHint("port", syscall.EADDRINUSE), "--port=0"},
		{portHint("redirport", syscall.EADDRINUSE), "another --redirport"},
		{portHint("redirport", os.ErrPermission), "a higher --redirport"},
		{portHint("port", syscall.EADDRNOTAVAIL), "of this machine"},
		{portHint("port", syscall.EIO), ""},
	} {
		if got := hintOf(test.err); !strings.Contains(got, test.want) || test.want == "" && got != "" {
			t.Errorf("%v: %q, want %q", test.err, got, test.want)
		}
	}
}

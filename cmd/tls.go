package cmd

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/spf13/cobra"
)

// tlsOptions say whether the server speaks TLS, and who it and its clients are.
type tlsOptions struct {
	ssl       bool
	sslCert   string
	sslKey    string
	sslCA     string
	redirPort int
}

// defaultTLSPort takes the place of --port's default with --ssl.
const defaultTLSPort = 8443

func (o *tlsOptions) flags() flagGroup {
	g := newGroup("TLS")
	g.BoolVar(&o.ssl, "ssl", false, "serve wss:// and https://, on port 8443 unless --port is given; without --sslcert by a self-signed certificate, for development")
	g.StringVar(&o.sslCert, "sslcert", "", "`file` with the certificate and its chain, in PEM; read again when it has changed")
	g.StringVar(&o.sslKey, "sslkey", "", "`file` with the private key, in PEM")
	g.StringVar(&o.sslCA, "sslca", "", "let in only clients with a certificate of one of the authorities in `file`, in PEM")
	g.IntVar(&o.redirPort, "redirport", 0, "redirect plain HTTP on this `port` to https://")
	for _, name := range []string{"sslcert", "sslkey", "sslca"} {
		must(cobra.MarkFlagFilename(g.FlagSet, name))
	}
	return g
}

func (o *tlsOptions) check() error {
	switch {
	case !o.ssl && o.sslCert != "":
		return errors.New("--sslcert needs --ssl")
	case !o.ssl && o.sslKey != "":
		return errors.New("--sslkey needs --ssl")
	case !o.ssl && o.sslCA != "":
		return errors.New("--sslca needs --ssl")
	case !o.ssl && o.redirPort != 0:
		return errors.New("--redirport needs --ssl")
	case o.redirPort < 0 || o.redirPort > 65535:
		return flagProblem("redirport", o.redirPort, errors.New("must be between 0 and 65535"))
	}
	return checkPair(o.sslCert, o.sslKey)
}

// checkPair refuses a certificate without its key, and a key alone.
func checkPair(cert, key string) error {
	switch {
	case cert != "" && key == "":
		return errors.New("--sslcert needs --sslkey")
	case cert == "" && key != "":
		return errors.New("--sslkey needs --sslcert")
	}
	return nil
}

// Credentials are what the server shows to its clients and how it looks at
// theirs. Files are looked at when a handshake begins, and read again when they
// have changed: nobody waits for that, and no session notices.
type credentials struct {
	options tlsOptions
	own     *tls.Certificate // self-signed; nil when there are files
	log     *slog.Logger

	mu     sync.Mutex
	files  []fileState // as they were when they were last read, be it in vain
	failed string      // why it was in vain, if it was
	config *tls.Config // of the last that could be used
}

// newCredentials reads the files, or makes a certificate for names.
func newCredentials(o tlsOptions, names []string, log *slog.Logger) (c *credentials, err error) {
	c = &credentials{options: o, log: log}
	if o.sslCert == "" {
		if c.own, err = selfSigned(names); err != nil {
			return nil, fmt.Errorf("cannot make a certificate: %w", err)
		}
	}
	return c, c.read()
}

// listener makes TLS connections of those that ln accepts.
func (c *credentials) listener(ln net.Listener) net.Listener {
	return tls.NewListener(ln, &tls.Config{GetConfigForClient: c.current})
}

// current is the config of a handshake.
func (c *credentials) current(*tls.ClientHelloInfo) (*tls.Config, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	changed := c.changed()
	if !changed && c.failed == "" {
		return c.config, nil
	}
	// A file that could not be read may become readable without a change that
	// would show: it is tried again and again, and told of once.
	failed := ""
	if err := c.read(); err == nil {
		c.log.Info("the certificate was read again", "expires", c.config.Certificates[0].Leaf.NotAfter)
	} else if failed = err.Error(); changed || failed != c.failed {
		c.log.Error("cannot use the new certificate and go on with the old one", "error", err)
	}
	c.failed = failed
	return c.config, nil
}

// read makes the config. When the files change meanwhile it begins again: it
// may have read halves of two pairs.
func (c *credentials) read() error {
	var config *tls.Config
	var err error
	for range 3 {
		c.files = c.look()
		if config, err = c.newConfig(); !c.changed() {
			break
		}
	}
	if err != nil {
		return err
	}
	c.config = config
	if end := config.Certificates[0].Leaf.NotAfter; time.Now().After(end) {
		c.log.Warn("the certificate has expired", "expired", end)
	}
	return nil
}

func (c *credentials) newConfig() (*tls.Config, error) {
	if c.config != nil && slices.ContainsFunc(c.files, fileState.isPipe) {
		return nil, errors.New("a pipe can be read only once")
	}
	config := &tls.Config{
		MinVersion: tls.VersionTLS12,
		// HTTP/2 is for files: a browser asks for HTTP/1.1 when it opens a
		// WebSocket.
		NextProtos: []string{"h2", "http/1.1"},
	}
	cert, err := c.own, error(nil)
	if cert == nil {
		cert, err = readCertificate(c.options.sslCert, c.options.sslKey)
	}
	if err != nil {
		return nil, err
	}
	config.Certificates = []tls.Certificate{*cert}
	if c.options.sslCA != "" {
		config.ClientAuth = tls.RequireAndVerifyClientCert
		config.ClientCAs, err = readAuthorities(c.options.sslCA)
	}
	return config, err
}

func (c *credentials) changed() bool { return !slices.EqualFunc(c.files, c.look(), fileState.same) }

// look tells in what state the files are.
func (c *credentials) look() (states []fileState) {
	for _, name := range []string{c.options.sslCert, c.options.sslKey, c.options.sslCA} {
		if name != "" {
			info, err := os.Stat(name)
			states = append(states, fileState{info, err})
		}
	}
	return states
}

// A fileState is that of the file that a name leads to, through all links.
type fileState struct {
	info fs.FileInfo
	err  error
}

// isPipe reports whether a file is one that may be empty, or block, when it is
// read again: --sslkey=<(command) makes such a one.
func (a fileState) isPipe() bool {
	return a.err == nil && !a.info.Mode().IsRegular() && !a.info.IsDir()
}

func (a fileState) same(b fileState) bool {
	if a.err != nil || b.err != nil {
		return a.err != nil && b.err != nil
	}
	if a.isPipe() && b.isPipe() {
		return true
	}
	return os.SameFile(a.info, b.info) && a.info.Size() == b.info.Size() && a.info.ModTime().Equal(b.info.ModTime())
}

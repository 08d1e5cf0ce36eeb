package listen

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/wsbridge/wsbridge/cmd/internal/watch"
)

// CertificateFiles are the names of files in PEM. Without Cert and Key the server
// makes a self-signed certificate; without CA clients need no certificate.
type CertificateFiles struct {
	Cert string // the certificate, with the chain behind it
	Key  string // its private key
	CA   string // the authorities of clients
}

// Credentials hold the server's certificate and check those of its clients. Each
// handshake checks whether the files have changed, and reads them again if they
// have. Open sessions are not affected.
type Credentials struct {
	names CertificateFiles
	own   *tls.Certificate // self-signed; nil when there are files
	log   *slog.Logger

	mu     sync.Mutex
	files  []watch.State // as they were when they were last read, used or not
	failed string        // why they could not be used; empty if they could
	config *tls.Config   // made from the last files that could be used
}

// NewCredentials reads the files, or makes a certificate for these hosts.
func NewCredentials(files CertificateFiles, hosts []string, log *slog.Logger) (c *Credentials, err error) {
	c = &Credentials{names: files, log: log}
	if files.Cert == "" {
		if c.own, err = selfSigned(hosts); err != nil {
			return nil, fmt.Errorf("cannot make a certificate: %w", err)
		}
	}
	if err := c.read(); err != nil {
		return nil, err
	}
	c.warnIfExpired(c.config)
	return c, nil
}

// Fingerprint is that of the self-signed certificate, as browsers and openssl
// show it; empty when there are files.
func (c *Credentials) Fingerprint() string {
	if c.own == nil {
		return ""
	}
	return fingerprint(c.own)
}

// Listener returns a listener that speaks TLS on the connections of ln.
func (c *Credentials) Listener(ln net.Listener) net.Listener {
	return tls.NewListener(ln, &tls.Config{GetConfigForClient: c.current})
}

// current returns the config for a handshake.
func (c *Credentials) current(*tls.ClientHelloInfo) (*tls.Config, error) {
	// The log is written after unlocking: when nobody reads it, the other handshakes
	// must not wait for this one.
	config, again, err := c.refresh()
	switch {
	case again:
		c.log.Info("the certificate was reloaded", "expires", config.Certificates[0].Leaf.NotAfter)
		c.warnIfExpired(config)
	case err != nil:
		c.log.Error("cannot load the new certificate, the old one stays in use", "error", err)
	}
	return config, nil
}

// refresh reads the files again if they have changed, and returns the config to use
// now and whether it is a new one. Its error says why the files cannot be used, once.
func (c *Credentials) refresh() (config *tls.Config, again bool, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	changed := c.changed()
	if !changed && c.failed == "" {
		return c.config, false, nil
	}
	// A file that could not be read may become readable without a change that
	// shows: each handshake tries it again, but only the first failure is returned.
	before := c.failed
	c.failed = ""
	err = c.read()
	if err == nil {
		return c.config, true, nil
	}
	if c.failed = err.Error(); !changed && c.failed == before {
		err = nil
	}
	return c.config, false, err
}

// read makes the config. If the files change while it reads, it starts again, because
// it may have the certificate of one pair and the key of another.
func (c *Credentials) read() error {
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
	return nil
}

func (c *Credentials) warnIfExpired(config *tls.Config) {
	if end := config.Certificates[0].Leaf.NotAfter; time.Now().After(end) {
		c.log.Warn("the certificate has expired", "expired", end)
	}
}

func (c *Credentials) newConfig() (*tls.Config, error) {
	if c.config != nil && slices.ContainsFunc(c.files, watch.State.IsPipe) {
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
		cert, err = ReadCertificate(c.names.Cert, c.names.Key)
	}
	if err != nil {
		return nil, err
	}
	config.Certificates = []tls.Certificate{*cert}
	if c.names.CA != "" {
		config.ClientAuth = tls.RequireAndVerifyClientCert
		config.ClientCAs, err = ReadAuthorities(c.names.CA)
	}
	return config, err
}

func (c *Credentials) changed() bool { return !slices.EqualFunc(c.files, c.look(), watch.State.Same) }

// look returns the present state of the files.
func (c *Credentials) look() (states []watch.State) {
	for _, name := range []string{c.names.Cert, c.names.Key, c.names.CA} {
		if name != "" {
			states = append(states, watch.StateOf(name))
		}
	}
	return states
}

package cmd

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/wsbridge/wsbridge/cmd/internal/listen"
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
	g.BoolVar(&o.ssl, "ssl", false, "serve wss:// and https://, on port 8443 unless --port is given; without --sslcert the certificate is self-signed, for development")
	g.StringVar(&o.sslCert, "sslcert", "", "`file` with the certificate and its chain, in PEM; reloaded when it changes")
	g.StringVar(&o.sslKey, "sslkey", "", "`file` with the private key, in PEM")
	g.StringVar(&o.sslCA, "sslca", "", "let in only clients whose certificate is signed by an authority in `file`, in PEM")
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

// files are the names that package listen takes.
func (o *tlsOptions) files() listen.CertificateFiles {
	return listen.CertificateFiles{Cert: o.sslCert, Key: o.sslKey, CA: o.sslCA}
}

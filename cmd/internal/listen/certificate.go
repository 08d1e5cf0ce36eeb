package listen

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"strings"
	"time"

	"github.com/wsbridge/wsbridge/cmd/internal/hint"
)

// ReadCertificate reads a certificate, with the chain behind it, and its
// private key.
func ReadCertificate(certFile, keyFile string) (*tls.Certificate, error) {
	cert, err := readFile("certificate", certFile)
	if err != nil {
		return nil, err
	}
	key, err := readFile("private key", keyFile)
	if err != nil {
		return nil, err
	}
	if findPEM(cert, isCertificate) == nil {
		return nil, noCertificate(certFile, cert)
	}
	switch block := findPEM(key, isPrivateKey); {
	case block == nil:
		return nil, hint.Add(
			fmt.Errorf("there is no private key in %s", keyFile),
			"it must be in PEM, with a line -----BEGIN PRIVATE KEY-----",
		)
	case block.Type == "ENCRYPTED PRIVATE KEY" || block.Headers["DEK-Info"] != "": // RFC 5958, RFC 1421
		return nil, hint.Add(
			fmt.Errorf("the private key in %s is encrypted", keyFile),
			"wsbridge asks for no passphrase; openssl pkey stores it without one",
		)
	}
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		return nil, hint.Add(
			fmt.Errorf("cannot use %s with %s: %s", keyFile, certFile, strings.TrimPrefix(err.Error(), "tls: ")),
			"the key must be that of the first certificate in the file",
		)
	}
	return &pair, nil
}

// ReadAuthorities reads the certificates of authorities.
func ReadAuthorities(file string) (*x509.CertPool, error) {
	b, err := readFile("authorities", file)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(b) {
		return nil, noCertificate(file, b)
	}
	return pool, nil
}

func readFile(what, name string) ([]byte, error) {
	b, err := os.ReadFile(name)
	if err == nil {
		return b, nil
	}
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		err = e.Err
	}
	advice := "it must be a file that wsbridge can read"
	switch {
	case errors.Is(err, fs.ErrNotExist):
		advice = "check the spelling, and the directory that you are in"
	case errors.Is(err, fs.ErrPermission):
		advice = "the user who runs wsbridge must be allowed to read it"
	}
	return nil, hint.Add(fmt.Errorf("cannot read the %s in %s: %w", what, name, err), advice)
}

// A NoCertificateError says that a file has no certificate in it.
type NoCertificateError struct {
	File   string
	HasKey bool // the file has a private key instead
}

func (e *NoCertificateError) Error() string { return "there is no certificate in " + e.File }

func noCertificate(file string, b []byte) error {
	err := &NoCertificateError{file, findPEM(b, isPrivateKey) != nil}
	if err.HasKey {
		return err
	}
	return hint.Add(err, "it must be in PEM, with a line -----BEGIN CERTIFICATE-----")
}

// findPEM returns the first block of a kind, or nil.
func findPEM(b []byte, isIt func(*pem.Block) bool) *pem.Block {
	for block, rest := pem.Decode(b); block != nil; block, rest = pem.Decode(rest) {
		if isIt(block) {
			return block
		}
	}
	return nil
}

func isCertificate(b *pem.Block) bool { return b.Type == "CERTIFICATE" }
func isPrivateKey(b *pem.Block) bool  { return strings.HasSuffix(b.Type, "PRIVATE KEY") }

// selfSigned makes a certificate for this machine and for names, which may be names
// and addresses. It leaves out addresses that mean all interfaces, such as 0.0.0.0.
func selfSigned(names []string) (*tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	now := time.Now()
	template := &x509.Certificate{
		Subject:               pkix.Name{CommonName: "wsbridge, self-signed"},
		NotBefore:             now.Add(-time.Hour), // for clocks that are slow
		NotAfter:              now.AddDate(1, 0, 0),
		KeyUsage:              x509.KeyUsageDigitalSignature,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true,
		DNSNames:              []string{"localhost"},
		IPAddresses:           []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
	}
	for _, name := range names {
		addr, err := netip.ParseAddr(name)
		switch {
		case err != nil:
			template.DNSNames = append(template.DNSNames, name)
		case !addr.IsUnspecified():
			template.IPAddresses = append(template.IPAddresses, addr.WithZone("").AsSlice()) // clients leave out the zone
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, err
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}, nil
}

// fingerprint returns the SHA-256 of a certificate in the form of browsers and openssl.
func fingerprint(c *tls.Certificate) string {
	sum := sha256.Sum256(c.Certificate[0])
	return string(bytes.ReplaceAll(fmt.Appendf(nil, "% X", sum), []byte(" "), []byte(":")))
}

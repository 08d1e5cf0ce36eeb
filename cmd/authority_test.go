package cmd

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	mathrand "math/rand/v2"
	"net"
	"os"
	"strconv"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// An authority issues certificates for tests.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// newAuthority makes one. Only a lack of randomness could hinder it.
func newAuthority(name string) *authority {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(err)
	template := &x509.Certificate{
		SerialNumber:          big.NewInt(1),
		Subject:               pkix.Name{CommonName: name},
		NotBefore:             time.Now().Add(-time.Hour),
		NotAfter:              time.Now().Add(24 * time.Hour),
		IsCA:                  true,
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	must(err)
	cert, err := x509.ParseCertificate(der)
	must(err)
	return &authority{cert, key}
}

// pem is the authority's own certificate.
func (a *authority) pem() []byte { return pemOf("CERTIFICATE", a.cert.Raw) }

// pool is what verifies the certificates that it has issued.
func (a *authority) pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(a.cert)
	return pool
}

// issue makes a certificate, for servers and for clients.
func (a *authority) issue(serial int64, hosts ...string) (cert, key []byte) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(serial),
		Subject:      pkix.Name{CommonName: fmt.Sprint("number ", serial)},
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().Add(24 * time.Hour),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	for _, host := range hosts {
		if ip := net.ParseIP(host); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, host)
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, private.Public(), a.key)
	must(err)
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	must(err)
	return pemOf("CERTIFICATE", der), pemOf("PRIVATE KEY", pkcs8)
}

func pemOf(typ string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: typ, Bytes: der})
}

type authoritiesKey struct{}

func cmdAuthority(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: authority NAME")
	}
	a := newAuthority(args[0])
	ts.Value(authoritiesKey{}).(map[string]*authority)[args[0]] = a
	ts.Check(os.WriteFile(ts.MkAbs(args[0]+".pem"), a.pem(), 0o644))
}

func cmdCertificate(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 3 {
		ts.Fatalf("usage: certificate AUTHORITY NAME HOST...")
	}
	a := ts.Value(authoritiesKey{}).(map[string]*authority)[args[0]]
	if a == nil {
		ts.Fatalf("no authority %s", args[0])
	}
	cert, key := a.issue(mathrand.Int64(), args[2:]...)
	ts.Check(os.WriteFile(ts.MkAbs(args[1]+".pem"), cert, 0o644))
	ts.Check(os.WriteFile(ts.MkAbs(args[1]+".key"), key, 0o600))
}

func cmdPort(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: port VARIABLE")
	}
	ts.Setenv(args[0], strconv.Itoa(freePort()))
}

// freePort is one that nobody is given who asks for any.
func freePort() int {
	for {
		port := 10_000 + mathrand.IntN(20_000)
		if ln, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port))); err == nil {
			ln.Close()
			return port
		}
	}
}

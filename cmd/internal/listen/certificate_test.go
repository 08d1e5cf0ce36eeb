package listen

import (
	"crypto/x509"
	"regexp"
	"testing"
)

func TestSelfSigned(t *testing.T) {
	c, err := selfSigned([]string{"127.0.0.1", "0.0.0.0", "::", "192.0.2.1", "fe80::1%eth0", "box.example"})
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(c.Leaf)
	for name, want := range map[string]bool{
		"localhost": true, "127.0.0.1": true, "::1": true, "192.0.2.1": true, "fe80::1": true, "box.example": true,
		"0.0.0.0": false, "192.0.2.2": false, "evil.example": false,
	} {
		_, err := c.Leaf.Verify(x509.VerifyOptions{Roots: pool, DNSName: name})
		if (err == nil) != want {
			t.Errorf("%s: %v", name, err)
		}
	}
	if n := c.Leaf.SerialNumber; n.Sign() <= 0 || n.BitLen() >= 20*8 {
		t.Errorf("the serial number %x is not one of RFC 5280, section 4.1.2.2", n)
	}
	other, err := selfSigned(nil)
	if err != nil {
		t.Fatal(err)
	}
	if a, b := fingerprint(c), fingerprint(other); a == b || !regexp.MustCompile(`^([0-9A-F]{2}:){31}[0-9A-F]{2}$`).MatchString(a) {
		t.Errorf("%s, %s", a, b)
	}
}

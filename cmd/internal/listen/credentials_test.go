package listen

import (
	"crypto/x509"
	"encoding/pem"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// patience is far more than anything takes here, also on a slow machine.
const patience = time.Minute

// A log that nobody reads holds up the handshake that writes to it, and no other.
func TestCredentialsWithAStuckLog(t *testing.T) {
	cert, err := selfSigned(nil)
	if err != nil {
		t.Fatal(err)
	}
	key, err := x509.MarshalPKCS8PrivateKey(cert.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	files := CertificateFiles{Cert: filepath.Join(dir, "cert"), Key: filepath.Join(dir, "key")}
	write := func(name, kind string, der []byte) {
		t.Helper()
		if err := os.WriteFile(name, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(files.Cert, "CERTIFICATE", cert.Certificate[0])
	write(files.Key, "PRIVATE KEY", key)

	log, w := io.Pipe()
	defer log.Close()
	c, err := NewCredentials(files, nil, slog.New(slog.NewTextHandler(w, nil)))
	if err != nil {
		t.Fatal(err)
	}
	write(files.Key, "NOTHING", nil)
	handshake := func() <-chan error {
		done := make(chan error, 1)
		go func() {
			_, err := c.current(nil)
			done <- err
		}()
		return done
	}
	first := handshake()
	if _, err := log.Read(make([]byte, 1)); err != nil { // the rest of the line is stuck
		t.Fatal(err)
	}
	select {
	case err := <-handshake():
		if err != nil {
			t.Error(err)
		}
	case <-time.After(patience):
		t.Fatal("a handshake waits for the log")
	}
	log.Close()
	if err := <-first; err != nil {
		t.Error(err)
	}
}

package testkit

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// CA is a certificate authority that lives as long as the test.
type CA struct {
	// File holds the authority's certificate as PEM.
	File string

	dir  string
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// Certificate is a certificate and its key as PEM files.
type Certificate struct {
	CertFile, KeyFile string
}

// NewCA makes a certificate authority.
func NewCA(t testing.TB) *CA {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatalf("make a certificate authority: %v", err)
	}
	template := &x509.Certificate{
		SerialNumber:          big.NewInt(time.Now().UnixNano()),
		Subject:               pkix.Name{CommonName: "test authority"},
		NotBefore:             time.Now().Add(-time.Hour),
		NotAfter:              time.Now().Add(24 * time.Hour),
		IsCA:                  true,
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatalf("make a certificate authority: %v", err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatalf("make a certificate authority: %v", err)
	}
	ca := &CA{dir: t.TempDir(), cert: cert, key: key}
	ca.File = filepath.Join(ca.dir, "ca.pem")
	if err := writePEM(ca.File, "CERTIFICATE", der); err != nil {
		t.Fatalf("make a certificate authority: %v", err)
	}
	return ca
}

// Server writes a certificate for localhost, 127.0.0.1 and ::1.
func (ca *CA) Server(t testing.TB) Certificate {
	t.Helper()
	return ca.write(t, "server")
}

// Client writes a client certificate whose common name is name.
func (ca *CA) Client(t testing.TB, name string) Certificate {
	t.Helper()
	return ca.write(t, name)
}

// TLS returns a configuration for clients that trust this authority alone.
func (ca *CA) TLS() *tls.Config { return ca.trust() }

func (ca *CA) trust() *tls.Config {
	pool := x509.NewCertPool()
	pool.AddCert(ca.cert)
	return &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
}

// issue makes a certificate that serves and dials.
func (ca *CA) issue(name string) (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()),
		Subject:      pkix.Name{CommonName: name},
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().Add(24 * time.Hour),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		DNSNames:     []string{"localhost"},
		IPAddresses:  []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, ca.cert, &key.PublicKey, ca.key)
	if err != nil {
		return tls.Certificate{}, err
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, nil
}

func (ca *CA) write(t testing.TB, name string) Certificate {
	t.Helper()
	issued, err := ca.issue(name)
	if err != nil {
		t.Fatalf("make certificate %q: %v", name, err)
	}
	key, err := x509.MarshalPKCS8PrivateKey(issued.PrivateKey)
	if err != nil {
		t.Fatalf("make certificate %q: %v", name, err)
	}
	dir, err := os.MkdirTemp(ca.dir, name+"-*")
	if err != nil {
		t.Fatalf("make certificate %q: %v", name, err)
	}
	c := Certificate{CertFile: filepath.Join(dir, "cert.pem"), KeyFile: filepath.Join(dir, "key.pem")}
	err = errors.Join(writePEM(c.CertFile, "CERTIFICATE", issued.Certificate[0]), writePEM(c.KeyFile, "PRIVATE KEY", key))
	if err != nil {
		t.Fatalf("make certificate %q: %v", name, err)
	}
	return c
}

func writePEM(path, kind string, der []byte) error {
	return os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600)
}

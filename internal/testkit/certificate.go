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
	"net/url"
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
	serial := big.NewInt(time.Now().UnixNano())
	template := &x509.Certificate{
		SerialNumber:          serial,
		Subject:               pkix.Name{CommonName: "test authority " + serial.String()},
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

// Subject is whom a certificate is for. A zero field has what Server gives it.
type Subject struct {
	Name        string    // the common name
	Hosts       []string  // names and IP addresses, localhost, 127.0.0.1 and ::1 if nil
	URIs        []string  // none if nil
	From, Until time.Time // when it is valid, from an hour ago until tomorrow
}

// Server writes a certificate for localhost, 127.0.0.1 and ::1.
func (ca *CA) Server(t testing.TB) Certificate {
	t.Helper()
	return ca.Issue(t, Subject{Name: "server"})
}

// Client writes a client certificate whose common name is name.
func (ca *CA) Client(t testing.TB, name string) Certificate {
	t.Helper()
	return ca.Issue(t, Subject{Name: name})
}

// TLS returns a configuration for clients that trust this authority alone.
func (ca *CA) TLS() *tls.Config { return ca.trust() }

func (ca *CA) trust() *tls.Config {
	pool := x509.NewCertPool()
	pool.AddCert(ca.cert)
	return &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
}

// certify makes a certificate that serves and dials.
func (ca *CA) certify(s Subject) (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()),
		Subject:      pkix.Name{CommonName: s.Name},
		NotBefore:    s.From,
		NotAfter:     s.Until,
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	if s.From.IsZero() {
		template.NotBefore = time.Now().Add(-time.Hour)
	}
	if s.Until.IsZero() {
		template.NotAfter = time.Now().Add(24 * time.Hour)
	}
	hosts := s.Hosts
	if hosts == nil {
		hosts = []string{"localhost", "127.0.0.1", "::1"}
	}
	for _, host := range hosts {
		if ip := net.ParseIP(host); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, host)
		}
	}
	for _, text := range s.URIs {
		u, err := url.Parse(text)
		if err != nil {
			return tls.Certificate{}, err
		}
		template.URIs = append(template.URIs, u)
	}
	der, err := x509.CreateCertificate(rand.Reader, template, ca.cert, &key.PublicKey, ca.key)
	if err != nil {
		return tls.Certificate{}, err
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, nil
}

// Issue writes a certificate that serves and dials.
func (ca *CA) Issue(t testing.TB, s Subject) Certificate {
	t.Helper()
	issued, err := ca.certify(s)
	if err != nil {
		t.Fatalf("make certificate %q: %v", s.Name, err)
	}
	key, err := x509.MarshalPKCS8PrivateKey(issued.PrivateKey)
	if err != nil {
		t.Fatalf("make certificate %q: %v", s.Name, err)
	}
	dir, err := os.MkdirTemp(ca.dir, s.Name+"-*")
	if err != nil {
		t.Fatalf("make certificate %q: %v", s.Name, err)
	}
	c := Certificate{CertFile: filepath.Join(dir, "cert.pem"), KeyFile: filepath.Join(dir, "key.pem")}
	err = errors.Join(writePEM(c.CertFile, "CERTIFICATE", issued.Certificate[0]), writePEM(c.KeyFile, "PRIVATE KEY", key))
	if err != nil {
		t.Fatalf("make certificate %q: %v", s.Name, err)
	}
	return c
}

// Load reads the certificate and its key.
func (c Certificate) Load(t testing.TB) tls.Certificate {
	t.Helper()
	pair, err := tls.LoadX509KeyPair(c.CertFile, c.KeyFile)
	if err != nil {
		t.Fatal(err)
	}
	return pair
}

// Replace writes what c holds to the files of another, as a tool that renews
// certificates does.
func (c Certificate) Replace(t testing.TB, other Certificate) {
	t.Helper()
	for from, to := range map[string]string{c.CertFile: other.CertFile, c.KeyFile: other.KeyFile} {
		content, err := os.ReadFile(from)
		if err == nil {
			err = os.WriteFile(to, content, 0o600)
		}
		if err != nil {
			t.Fatalf("replace the certificate in %s: %v", other.CertFile, err)
		}
	}
}

func writePEM(path, kind string, der []byte) error {
	return os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600)
}

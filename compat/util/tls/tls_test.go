package tls_test

import (
	"crypto/x509"
	"testing"
	"time"

	"github.com/rollcall-go/micro/compat/util/tls"
)

func TestCertificate(t *testing.T) {
	pair, err := tls.Certificate("shop", "10.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(pair.Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(cert)
	for _, name := range []string{"shop", "10.0.0.1"} {
		if _, err := cert.Verify(x509.VerifyOptions{DNSName: name, Roots: roots}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if left := time.Until(cert.NotAfter); left < 364*24*time.Hour || cert.SerialNumber.Sign() <= 0 {
		t.Errorf("valid for %s, serial number %s", left, cert.SerialNumber)
	}
}

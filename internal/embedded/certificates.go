package embedded

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
)

// checkCertificates loads the files once, because etcd would report a bad one at
// the first handshake only.
func checkCertificates(cfg Config) error {
	if err := checkPair(cfg.CertFile, cfg.KeyFile); err != nil {
		return err
	}
	if err := checkAuthority(cfg.ClientCAFile); err != nil {
		return err
	}
	if err := checkPair(cfg.PeerCertFile, cfg.PeerKeyFile); err != nil {
		return err
	}
	return checkAuthority(cfg.PeerCAFile)
}

// checkPair loads a certificate with its key, if there is one.
func checkPair(certFile, keyFile string) error {
	if certFile == "" {
		return nil
	}
	if _, err := tls.LoadX509KeyPair(certFile, keyFile); err != nil {
		return fmt.Errorf("load certificate %q with key %q: %w", certFile, keyFile, err)
	}
	return nil
}

// checkAuthority loads the certificate of an authority, if there is one.
func checkAuthority(file string) error {
	if file == "" {
		return nil
	}
	pem, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("load authority: %w", err)
	}
	if !x509.NewCertPool().AppendCertsFromPEM(pem) {
		return fmt.Errorf("load authority %q: there is no PEM certificate in it", file)
	}
	return nil
}

package reload

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
)

// Files are the paths of PEM files, of a client or of a server. Those that are empty are
// not used.
type Files struct {
	// CA holds the certificates of the authorities that are trusted. Without it a
	// client trusts those of the system, and a server asks callers for no certificate.
	CA string
	// Cert holds the certificate to show, with those between it and its authority
	// after it, and Key its private key. They come together.
	Cert, Key string
}

// Given reports whether any file is named.
func (f Files) Given() bool { return f != Files{} }

// Check returns what is wrong with the files now: one cannot be read, there is
// nothing usable in it, or certificate and key do not belong together.
func (f Files) Check() error {
	_, err := NewTLS(f, nil).Config(nil)
	return err
}

// TLS is TLS settings that come from files. Its methods may be called
// by several goroutines at once.
type TLS struct {
	files       Files
	authorities source[*x509.CertPool]
	pair        source[*tls.Certificate]
}

// NewTLS returns settings that come from files. It reads none of them yet. Warn is
// called with a sentence, without any secret, when a file can no longer be used and
// what was there before stays in force; nil means that nobody is told.
func NewTLS(files Files, warn func(text string)) *TLS {
	return &TLS{
		files: files,
		authorities: source[*x509.CertPool]{paths: []string{files.CA}, warn: warn, parse: func(contents [][]byte) (*x509.CertPool, error) {
			pool := x509.NewCertPool()
			if !pool.AppendCertsFromPEM(contents[0]) {
				return nil, fmt.Errorf("read the authority %q: there is no certificate in PEM form in it", files.CA)
			}
			return pool, nil
		}},
		pair: source[*tls.Certificate]{paths: []string{files.Cert, files.Key}, warn: warn, parse: func(contents [][]byte) (*tls.Certificate, error) {
			pair, err := pairOf(contents[0], contents[1])
			if err != nil {
				return nil, fmt.Errorf("read the certificate %q with the key %q: %w", files.Cert, files.Key, err)
			}
			return pair, nil
		}},
	}
}

// pairOf returns a certificate with its key. What is wrong with them is said in words of
// what to mend, where package tls does not.
func pairOf(cert, key []byte) (*tls.Certificate, error) {
	for block, rest := pem.Decode(key); block != nil; block, rest = pem.Decode(rest) {
		if block.Type == "ENCRYPTED PRIVATE KEY" || strings.Contains(block.Headers["Proc-Type"], "ENCRYPTED") {
			return nil, errors.New("the key is encrypted, and nobody is there to type its password; decrypt it with `openssl pkey`, into a file that the service's user alone may read")
		}
	}
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil && strings.Contains(err.Error(), "does not match") {
		return nil, fmt.Errorf("they do not belong together: %w", err)
	}
	return &pair, err
}

// Server returns settings for one handshake of a server, as Config does of a client: who
// connects has to show a certificate of the authorities, if there is a file of them, also
// where the program chooses settings for each caller. No session is resumed, so that
// whoever comes back is looked at anew.
func (t *TLS) Server(base *tls.Config) (*tls.Config, error) {
	config, err := t.Config(base)
	if err != nil {
		return nil, err
	}
	demand := func(c *tls.Config) *tls.Config {
		c.SessionTicketsDisabled = true
		if t.files.CA != "" {
			c.ClientCAs, c.ClientAuth = config.RootCAs, tls.RequireAndVerifyClientCert
		}
		return c
	}
	if t.files.Cert != "" {
		config.GetCertificate, config.GetConfigForClient = nil, nil
	}
	if own := config.GetConfigForClient; own != nil {
		config.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
			c, err := own(hello)
			if err != nil || c == nil {
				return nil, err
			}
			return demand(c.Clone()), nil
		}
	}
	return demand(config), nil
}

// Config returns settings for one handshake, made of a copy of base, which may be
// nil, and of what the files hold now. They are the caller's.
func (t *TLS) Config(base *tls.Config) (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if base != nil {
		config = base.Clone()
	}
	if t.files.CA != "" {
		pool, err := t.authorities.get()
		if err != nil {
			return nil, err
		}
		config.RootCAs = pool
	}
	switch {
	case t.files.Cert == "" && t.files.Key == "":
		return config, nil
	case t.files.Cert == "":
		return nil, fmt.Errorf("read the key %q: there is no file with its certificate; give both", t.files.Key)
	case t.files.Key == "":
		return nil, fmt.Errorf("read the certificate %q: there is no file with its key; give both", t.files.Cert)
	}
	pair, err := t.pair.get()
	if err != nil {
		return nil, err
	}
	config.Certificates, config.GetClientCertificate = []tls.Certificate{*pair}, nil
	return config, nil
}

// Problem returns why files cannot be used as they are now, so that Config goes by
// what they held before; nil if they can.
func (t *TLS) Problem() error {
	return errors.Join(t.authorities.unusable(), t.pair.unusable())
}

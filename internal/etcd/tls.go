package etcd

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"sync/atomic"
	"time"

	"google.golang.org/grpc/credentials"

	"github.com/rollcall-go/micro/internal/refusal"
	"github.com/rollcall-go/micro/internal/reload"
)

// tlsSettings makes the TLS handshakes of a Conn. Each has settings of its own,
// because the files that they come from may have changed since the last one.
type tlsSettings struct {
	base  *tls.Config
	files *reload.TLS // nil: none are given
}

// newTLSSettings returns the settings that cfg asks for, nil for none. byScheme is
// true if an address asked for TLS.
func newTLSSettings(cfg Config, byScheme bool) *tlsSettings {
	if !cfg.wantsTLS() && !byScheme {
		return nil
	}
	s := &tlsSettings{base: &tls.Config{MinVersion: tls.VersionTLS12}}
	if cfg.TLS != nil {
		s.base = cfg.TLS.Clone()
	}
	if cfg.TLSFiles.Given() {
		s.files = reload.NewTLS(cfg.TLSFiles, cfg.Warn)
	}
	return s
}

// handshake makes raw, a connection to authority, secure. The server's certificate
// must be for the name that the program gave in its settings, or else for authority.
// grpc by itself always asks for the authority, which etcd's client makes of the
// address.
func (s *tlsSettings) handshake(ctx context.Context, authority string, raw net.Conn, shown *shownCertificate) (net.Conn, credentials.AuthInfo, error) {
	config := s.base
	if s.files != nil {
		var err error
		if config, err = s.files.Config(s.base); err != nil {
			return nil, nil, refusal.Mark(refusal.Mismatch, err)
		}
	}
	config = shown.watch(config)
	return credentials.NewTLS(config).ClientHandshake(ctx, cmp.Or(config.ServerName, authority), raw)
}

// unreadable returns why the files of the settings cannot be used as they are now,
// nil if they can.
func (s *tlsSettings) unreadable() error {
	if s == nil || s.files == nil {
		return nil
	}
	return s.files.Problem()
}

// shownCertificate is what one handshake showed the server of us. A server refuses
// it after the handshake, in words that tell nothing about it.
type shownCertificate struct {
	asked atomic.Bool                      // the server asked for one
	leaf  atomic.Pointer[x509.Certificate] // nil: none was shown
	given bool                             // there was one to choose from
}

// watch returns a copy of config that notes what is shown.
func (s *shownCertificate) watch(config *tls.Config) *tls.Config {
	config = config.Clone()
	choose := config.GetClientCertificate
	if choose == nil {
		certificates := config.Certificates
		choose = func(request *tls.CertificateRequestInfo) (*tls.Certificate, error) {
			for i := range certificates {
				if request.SupportsCertificate(&certificates[i]) == nil {
					return &certificates[i], nil
				}
			}
			return &tls.Certificate{}, nil
		}
		s.given = len(certificates) > 0
	}
	config.GetClientCertificate = func(request *tls.CertificateRequestInfo) (*tls.Certificate, error) {
		s.asked.Store(true)
		c, err := choose(request)
		if err != nil || c == nil || len(c.Certificate) == 0 {
			return c, err
		}
		leaf := c.Leaf
		if leaf == nil {
			if leaf, err = x509.ParseCertificate(c.Certificate[0]); err != nil {
				return nil, fmt.Errorf("read the certificate to show: %w", err)
			}
		}
		s.leaf.Store(leaf)
		return c, nil
	}
	return config
}

// fault returns what may be wrong with what was shown, as the server's refusal at
// that time suggests, and whether that is certain; "" if the server asked for nothing.
func (s *shownCertificate) fault(now time.Time) (text string, certain bool) {
	leaf := s.leaf.Load()
	switch {
	case !s.asked.Load():
		return "", false
	case leaf == nil && s.given:
		return "it wants a client certificate of another authority than the one given", true
	case leaf == nil:
		return "it wants a client certificate, and none is given", true
	case now.After(leaf.NotAfter):
		return "the certificate shown ended at " + leaf.NotAfter.UTC().Format(time.RFC3339), true
	case now.Before(leaf.NotBefore):
		return "the certificate shown begins only at " + leaf.NotBefore.UTC().Format(time.RFC3339), true
	default:
		return fmt.Sprintf("perhaps it refuses the certificate shown, that of %q", leaf.Subject.CommonName), false
	}
}

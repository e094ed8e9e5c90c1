package secure

import (
	"crypto/tls"
	"errors"
	"fmt"
	"strings"

	"github.com/rollcall-go/micro/internal/record"
	"github.com/rollcall-go/micro/internal/reload"
)

// Server is what options and flags say of how a server is called. The zero value is
// plaintext.
type Server struct {
	// Config is the program's own, which is copied and never changed; nil means none.
	// What the files hold goes before what it says.
	Config *tls.Config
	// Files are read again when they have changed. With an authority in CA, callers have
	// to show a certificate of it.
	Files reload.Files
	// Plaintext lets calls in plaintext in as well, on the same port.
	Plaintext bool
	// Require says that the server must not be called in plaintext alone.
	Require bool
	// Allow has the identities of those who may call: DNS names and URIs of certificates,
	// a * at the end of one stands for whatever may follow. Empty means everybody.
	Allow []string
}

// On reports whether the server speaks TLS.
func (s Server) On() bool { return s.Config != nil || s.Files.Given() }

// Says returns what the node's metadata have to say under record.TLS, "" for nothing.
func (s Server) Says() string {
	switch {
	case !s.On():
		return ""
	case s.Plaintext:
		return record.TLSBoth
	}
	return record.TLSOnly
}

// Check returns what can never work: half of a pair, files that cannot be used as they
// are now, or settings that contradict one another.
func (s Server) Check() error {
	verifies := s.Files.CA != "" || s.Config != nil && s.Config.ClientAuth >= tls.VerifyClientCertIfGiven
	switch {
	case !s.On() && s.Require:
		return errors.New("calls are to be secured (transport.Secure), and the server has no certificate: give one by transport.TLSConfig, the option TLSFiles of server/grpc, or --server_tls_cert and --server_tls_key")
	case !s.On() && s.Plaintext:
		return errors.New("to let calls in plaintext in as well as others takes a certificate: give --server_tls_cert and --server_tls_key, or the option TLSFiles of server/grpc")
	case len(s.Allow) > 0 && !verifies:
		return errors.New("to tell callers apart takes an authority whose certificates they have to show: give --server_tls_client_ca, or the option TLSFiles of server/grpc")
	case len(s.Allow) > 0 && s.Plaintext:
		return errors.New("callers cannot be told apart while calls in plaintext are let in as well, to which nobody has an identity; end that first (--server_tls_mode=only)")
	case s.Files.CA != "" && s.Files.Cert == "" && (s.Config == nil || len(s.Config.Certificates) == 0 && s.Config.GetCertificate == nil && s.Config.GetConfigForClient == nil):
		return fmt.Errorf("to demand certificates of the authority %q takes one of the server's own: give --server_tls_cert and --server_tls_key too, or the option TLSFiles of server/grpc", s.Files.CA)
	}
	for _, a := range s.Allow {
		if err := CheckAllow(a); err != nil {
			return err
		}
	}
	return s.Files.Check()
}

// CheckAllow returns why no caller can be told by one entry of Server.Allow, nil if some can.
func CheckAllow(name string) error {
	if strings.TrimSpace(name) == "" || strings.Contains(strings.TrimSuffix(name, "*"), "*") {
		return fmt.Errorf("callers cannot be told by %q: give a DNS name or a URI, with a * at its end or none", name)
	}
	return nil
}

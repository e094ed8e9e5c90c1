package secure

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"slices"
	"strings"
)

// Identities returns whom a certificate is for: its URIs, then its DNS names. Common names
// are none.
func Identities(cert *x509.Certificate) []string {
	var ids []string
	for _, u := range cert.URIs {
		ids = append(ids, u.String())
	}
	return append(ids, cert.DNSNames...)
}

// named returns the identity that a node of a service has to have.
func (c Client) named(service string) string {
	if c.Identity == ByService {
		return service
	}
	return strings.ReplaceAll(c.Identity, Service, service)
}

// checkName returns why the certificate is not that of the service.
func (c Client) checkName(cert *x509.Certificate, service string) error {
	want := c.named(service)
	switch {
	case service == "": // which nobody can be
	case c.Identity == ByService:
		if cert.VerifyHostname(want) == nil {
			return nil
		}
	case len(cert.URIs) == 1 && cert.URIs[0].String() == want: // of several, nobody could tell which one counts
		return nil
	}
	return &nameError{want: want, has: Identities(cert)}
}

// nameError is why a certificate is not that of the service that was called.
type nameError struct {
	want string
	has  []string
}

func (e *nameError) Error() string {
	return fmt.Sprintf("it is for %s and not for %q", list(e.has), e.want)
}

// mostNames bounds what an error quotes of a certificate.
const mostNames = 5

func list(names []string) string {
	if len(names) == 0 {
		return "nobody (it has neither a DNS name nor a URI)"
	}
	quoted := make([]string, 0, mostNames+1)
	for _, n := range names[:min(len(names), mostNames)] {
		quoted = append(quoted, fmt.Sprintf("%q", n))
	}
	if more := len(names) - mostNames; more > 0 {
		quoted = append(quoted, fmt.Sprintf("%d more", more))
	}
	return strings.Join(quoted, ", ")
}

// Admit returns why a caller is not let in, after its handshake. A program's own settings
// may have let it do without a certificate, or with one that nobody verified: then it is
// nobody.
func (s Server) Admit(state tls.ConnectionState) error {
	switch {
	case len(s.Allow) == 0:
		return nil
	case len(state.VerifiedChains) == 0:
		return fmt.Errorf("%w: it showed no certificate that was verified; give it one with --client_tls_cert and --client_tls_key", ErrNotAllowed)
	}
	leaf := state.VerifiedChains[0][0]
	if s.allowed(leaf) {
		return nil
	}
	return fmt.Errorf("%w: its certificate is for %s; add that to --server_tls_allow or the option AllowCallers of server/grpc", ErrNotAllowed, list(Identities(leaf)))
}

// allowed reports whether the caller with the given certificate may call. A DNS name is
// never taken for a URI: an authority may check the one and not the other.
func (s Server) allowed(leaf *x509.Certificate) bool {
	for _, u := range leaf.URIs {
		if s.lets(u.String()) {
			return true
		}
	}
	return slices.ContainsFunc(leaf.DNSNames, func(name string) bool { return !strings.ContainsAny(name, ":/") && s.lets(name) })
}

// lets reports whether one of the identities that may call fits id.
func (s Server) lets(id string) bool {
	return slices.ContainsFunc(s.Allow, func(a string) bool {
		if begin, ok := strings.CutSuffix(a, "*"); ok {
			return strings.HasPrefix(id, begin)
		}
		return id == a
	})
}

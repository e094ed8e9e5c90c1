package secure

import (
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
	case c.Identity == ByService:
		if service != "" && cert.VerifyHostname(want) == nil {
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

// allowed reports whether a caller with the given identities may call.
func (s Server) allowed(ids []string) bool {
	return slices.ContainsFunc(ids, func(id string) bool {
		return slices.ContainsFunc(s.Allow, func(a string) bool {
			if begin, ok := strings.CutSuffix(a, "*"); ok {
				return strings.HasPrefix(id, begin)
			}
			return id == a
		})
	})
}

// Package tls has what go-micro v2's util/tls has: certificates made on the spot. It is
// frozen: docs/TLS.md says how services get certificates that others can verify.
package tls

import (
	"crypto/tls"

	"github.com/rollcall-go/micro/internal/secure"
)

// Certificate returns a new key of curve P-256 with a certificate for the names and
// addresses, signed by itself and valid for a year. Nobody who was not given it can
// verify it.
func Certificate(host ...string) (tls.Certificate, error) { return secure.SelfSigned(host...) }

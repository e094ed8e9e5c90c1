package secure

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"reflect"
	"syscall"
	"time"
)

// explain returns err, with which a client's handshake ended, with the way out.
func (c Client) explain(n Node, err error) error {
	var (
		record    tls.RecordHeaderError
		authority x509.UnknownAuthorityError
		host      x509.HostnameError
		name      *nameError
		invalid   x509.CertificateInvalidError
	)
	switch {
	case errors.As(err, &record):
		return fmt.Errorf("make a TLS handshake: the node answers in plaintext, it speaks no TLS; give it a certificate (--server_tls_cert, option TLSFiles of server/grpc), or call it without TLS: while a fleet is moved by --client_tls_mode=prefer or the option PreferTLS of client/grpc: %w", err)
	case errors.As(err, &authority):
		return fmt.Errorf("verify the node's certificate: nobody who is trusted signed it; trust its authority with --client_tls_ca or the option TLSFiles of client/grpc%s: %w", c.trusting(), err)
	case errors.As(err, &name):
		return fmt.Errorf("verify the node's certificate: %w; issue one for that, or say with --client_tls_identity (option TLSIdentity of client/grpc) whom it has to be for", name)
	case errors.As(err, &host):
		return fmt.Errorf("verify the node's certificate: it is for %s and not for %q; issue one for that, say which name it has with --client_tls_server_name, or have names of services verified in place of hosts with --client_tls_identity=service (options TLSServerName and TLSIdentity of client/grpc): %w", list(append(Identities(host.Certificate), ips(host.Certificate)...)), host.Host, err)
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return fmt.Errorf("verify the node's certificate: it is valid from %s to %s; renew it in the node's files (--server_tls_cert), or correct the clock of this host: %w",
			invalid.Cert.NotBefore.UTC().Format(time.RFC3339), invalid.Cert.NotAfter.UTC().Format(time.RFC3339), err)
	}
	if alert, ok := alertOf(err); ok {
		return c.explainAlert(alert, err)
	}
	return fmt.Errorf("make a TLS handshake: %w", err)
}

// Reason is why a handshake failed, in a word.
type Reason string

// The reasons.
const (
	NotSpoken         Reason = "not_spoken"         // the node answers in plaintext
	UnknownAuthority  Reason = "unknown_authority"  // nobody who is trusted signed its certificate
	WrongName         Reason = "wrong_name"         // its certificate is for somebody else
	Expired           Reason = "expired"            // its certificate is out of date
	CertificateWanted Reason = "certificate_wanted" // it wants one of the caller, or another one
	Failed            Reason = "failed"             // anything else
)

// ReasonOf returns why the handshake failed that ended with err.
func ReasonOf(err error) Reason {
	var (
		record    tls.RecordHeaderError
		authority x509.UnknownAuthorityError
		host      x509.HostnameError
		name      *nameError
		invalid   x509.CertificateInvalidError
	)
	switch {
	case errors.As(err, &record):
		return NotSpoken
	case errors.As(err, &authority):
		return UnknownAuthority
	case errors.As(err, &host), errors.As(err, &name):
		return WrongName
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return Expired
	}
	switch alert, _ := alertOf(err); alert {
	case alertCertificateRequired, alertBadCertificate, alertUnknownCA, alertCertificateUnknown, alertCertificateExpired:
		return CertificateWanted
	}
	return Failed
}

// trusting says which authorities are trusted.
func (c Client) trusting() string {
	if c.Files.CA != "" {
		return fmt.Sprintf(" (%q has others)", c.Files.CA)
	}
	return ""
}

func ips(cert *x509.Certificate) (texts []string) {
	for _, ip := range cert.IPAddresses {
		texts = append(texts, ip.String())
	}
	return texts
}

// Alerts of RFC 8446, section 6.
const (
	alertBadCertificate      = 42
	alertCertificateExpired  = 45
	alertCertificateUnknown  = 46
	alertUnknownCA           = 48
	alertCertificateRequired = 116
)

// alertOf returns the alert with which the other end ended a handshake. Package tls has no
// exported type for it.
func alertOf(err error) (alert uint64, ok bool) {
	var op *net.OpError
	if !errors.As(err, &op) || op.Op != "remote error" {
		return 0, false
	}
	v := reflect.ValueOf(op.Err)
	if v.Kind() != reflect.Uint8 {
		return 0, false
	}
	return v.Uint(), true
}

// explainAlert returns err, which is what the node said when it ended the handshake.
func (c Client) explainAlert(alert uint64, err error) error {
	const way = "one with --client_tls_cert and --client_tls_key, or the option TLSFiles of client/grpc"
	shown := c.Files.Cert != "" || c.Config != nil && (len(c.Config.Certificates) > 0 || c.Config.GetClientCertificate != nil)
	switch {
	case alert == alertCertificateRequired && shown: // a client keeps back what the node does not ask for
		return fmt.Errorf("make a TLS handshake: the node wants a certificate of another authority than the one of this client%s; give %s, signed by one that the node trusts (its --server_tls_client_ca): %w", c.shown(), way, err)
	case alert == alertCertificateRequired, alert == alertBadCertificate && !shown:
		return fmt.Errorf("make a TLS handshake: the node wants a certificate of the caller, and none was shown; give %s: %w", way, err)
	case alert == alertCertificateExpired:
		return fmt.Errorf("make a TLS handshake: the certificate shown to the node%s is out of date; renew it, or correct the clock of either host: %w", c.shown(), err)
	case alert == alertBadCertificate, alert == alertUnknownCA, alert == alertCertificateUnknown:
		return fmt.Errorf("make a TLS handshake: the node refuses the certificate shown to it%s; give it one of the authority that the node trusts (its --server_tls_client_ca): %w", c.shown(), err)
	}
	return fmt.Errorf("make a TLS handshake: the node ended it: %w", err)
}

func (c Client) shown() string {
	if c.Files.Cert != "" {
		return fmt.Sprintf(" (%q)", c.Files.Cert)
	}
	return ""
}

// isAlert reports whether what was received begins as an alert of TLS.
func isAlert(first []byte) bool { return bytes.HasPrefix(first, []byte{21, 3}) }

// Ended returns err, with which reading from a node ended before it had sent the first
// frame of HTTP/2, with what that means; first is what it had sent.
func (d *Dialer) Ended(n Node, err error, first []byte) error {
	switch {
	case n.TLS:
		if alert, ok := alertOf(err); ok {
			return d.client.explainAlert(alert, err)
		}
		return err
	case isAlert(first):
		return fmt.Errorf("%w: %w", errSpeaksTLS, err)
	case len(first) == 0 && (errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET)):
		return fmt.Errorf("the node ended the connection before it said anything, as one does that speaks TLS only: if it does, call it by TLS (%s): %w", byTLS, err)
	}
	return err
}

const byTLS = "--client_tls_ca, the options TLSFiles and AuthTLS of client/grpc, or https:// before the address"

var errSpeaksTLS = errors.New("the node speaks TLS, and was called in plaintext; call it by TLS (" + byTLS + ")")

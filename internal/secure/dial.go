package secure

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"slices"
	"strings"

	"google.golang.org/grpc/credentials"

	"github.com/rollcall-go/micro/internal/reload"
)

// h2 is the name of HTTP/2 in a TLS handshake.
const h2 = "h2"

// Dialer secures the connections of one client. Its methods may be called by several
// goroutines at once.
type Dialer struct {
	client Client
	files  *reload.TLS
	looks  bool // verifies nothing, and is not for calls
}

// NewDialer returns the dialer of a client. It reads no file yet. warn is told, without any
// secret, when a file can no longer be used and what was there before stays in force; it
// may be nil.
func NewDialer(c Client, warn func(text string)) *Dialer {
	return &Dialer{client: c, files: reload.NewTLS(c.Files, warn)}
}

// NewLook returns a dialer that takes every certificate, for whoever looks at certificates
// without knowing whom to trust. No call may be made over its connections.
func NewLook() *Dialer {
	return &Dialer{files: reload.NewTLS(reload.Files{}, nil), looks: true}
}

// Node is whom a connection is to lead to.
type Node struct {
	Host    string // host:port
	Service string // what its certificate has to be for, where Client.Names says so
	TLS     bool
}

// Credentials returns how connections to a node are secured, which is TLS.
func (d *Dialer) Credentials(n Node) credentials.TransportCredentials {
	return &dialing{TransportCredentials: credentials.NewTLS(nil), dialer: d, node: n}
}

// dialing are the credentials of one node.
type dialing struct {
	credentials.TransportCredentials // says that it is TLS
	dialer                           *Dialer
	node                             Node
}

// ClientHandshake makes the handshake. A server that names no protocol is one that speaks
// HTTP/2 alone: go-micro v2 does not name it with server.TLSConfig.
func (c *dialing) ClientHandshake(ctx context.Context, _ string, raw net.Conn) (net.Conn, credentials.AuthInfo, error) {
	config, err := c.dialer.Config(c.node)
	if err != nil {
		return nil, nil, err
	}
	conn := tls.Client(raw, config)
	if err := conn.HandshakeContext(ctx); err != nil {
		_ = conn.Close() // the error of the handshake tells more
		return nil, nil, c.dialer.client.explain(c.node, err)
	}
	info := credentials.TLSInfo{State: conn.ConnectionState()}
	info.SecurityLevel = credentials.PrivacyAndIntegrity
	return conn, info, nil
}

// Explain returns err, with which a handshake with n ended, with the way out.
func (d *Dialer) Explain(n Node, err error) error { return d.client.explain(n, err) }

// Try finds out whether calls to a node could go over raw, which has a deadline, stays the
// caller's and is of no use afterwards. It returns the certificate of the node.
func (d *Dialer) Try(ctx context.Context, n Node, raw net.Conn) (*x509.Certificate, error) {
	conn, info, err := d.Credentials(n).ClientHandshake(ctx, "", raw)
	if err != nil {
		return nil, err
	}
	// What the node thinks of us comes after the handshake, or else its first frame.
	if _, err := conn.Read(make([]byte, 1)); err != nil {
		return nil, d.Ended(n, err, nil)
	}
	return info.(credentials.TLSInfo).State.PeerCertificates[0], nil // a server always shows one
}

func (c *dialing) Clone() credentials.TransportCredentials { d := *c; return &d }

// Config returns the settings of one handshake with a node; they are the caller's.
func (d *Dialer) Config(n Node) (*tls.Config, error) {
	config, err := d.files.Config(d.client.Config)
	if err != nil {
		return nil, err
	}
	if !slices.Contains(config.NextProtos, h2) {
		config.NextProtos = append(slices.Clip(config.NextProtos), h2)
	}
	if d.client.Files.Given() {
		config.ClientSessionCache = nil // a session that is resumed goes by what the files held when it began
	}
	if d.client.Files.CA != "" || d.client.ServerName != "" || d.client.Identity != "" {
		config.InsecureSkipVerify = false // somebody says whom to trust
	}
	switch {
	case d.looks:
		config.ServerName = hostOf(n.Host)
		verifyBy(config, func(tls.ConnectionState) error { return nil })
	case d.client.perService():
		config.ServerName = n.Service
		d.verifyService(config, n)
	case d.client.ServerName != "":
		config.ServerName = d.client.ServerName
	case config.ServerName == "" || d.client.Identity == ByHost:
		config.ServerName = hostOf(n.Host)
	}
	return config, nil
}

// verifyService makes the settings verify the certificate of a service in place of that
// of a host.
func (d *Dialer) verifyService(config *tls.Config, n Node) {
	own, roots, now := config.VerifyConnection, config.RootCAs, config.Time
	verifyBy(config, func(s tls.ConnectionState) error {
		o := x509.VerifyOptions{Roots: roots, Intermediates: x509.NewCertPool(), KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}
		if now != nil {
			o.CurrentTime = now()
		}
		for _, c := range s.PeerCertificates[1:] {
			o.Intermediates.AddCert(c)
		}
		leaf := s.PeerCertificates[0] // a server always shows one
		_, err := leaf.Verify(o)
		if err == nil {
			err = d.client.checkName(leaf, n.Service)
		}
		if err != nil {
			return &tls.CertificateVerificationError{UnverifiedCertificates: s.PeerCertificates, Err: err}
		}
		if own != nil {
			return own(s)
		}
		return nil
	})
}

// verifyBy makes the settings leave all of the verifying to verify.
func verifyBy(config *tls.Config, verify func(tls.ConnectionState) error) {
	config.InsecureSkipVerify, config.VerifyConnection = true, verify
}

// hostOf returns the host of host:port, without the zone, which is for this host alone.
func hostOf(address string) string {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		host = address
	}
	host, _, _ = strings.Cut(host, "%")
	return host
}

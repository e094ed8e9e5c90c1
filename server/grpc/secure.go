package grpc

import (
	"context"
	"crypto/tls"
	"crypto/x509"

	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/peer"

	"github.com/rollcall-go/micro/internal/reload"
	"github.com/rollcall-go/micro/internal/secure"
	"github.com/rollcall-go/micro/internal/settings"
	"github.com/rollcall-go/micro/server"
)

// AuthTLS makes the server speak TLS with these settings, also on a listener given
// by Listener. It goes before server.TLSConfig; what TLSFiles gives goes before both.
func AuthTLS(t *tls.Config) server.Option {
	return setTLS(func(s *secure.Server) { s.Config = t })
}

// TLSFiles makes the server speak TLS with the certificate in the file cert, whose private
// key is in the file key, both PEM. If clientCA is not empty, callers have to show a
// certificate of an authority in that file. The files are read again when they have
// changed: renewed certificates need no restart, and connections that stand are not
// cut. Start returns an error if a file cannot be used.
func TLSFiles(clientCA, cert, key string) server.Option {
	return setTLS(func(s *secure.Server) { s.Files = reload.Files{CA: clientCA, Cert: cert, Key: key} })
}

// AcceptPlaintext makes a server that speaks TLS take calls in plaintext as well, on the
// same port, and say so in its metadata, for the time in which its callers are moved to
// TLS (docs/TLS.md). The default is not to.
func AcceptPlaintext(too bool) server.Option {
	return setTLS(func(s *secure.Server) { s.Plaintext = too })
}

// AllowCallers lets those callers in alone whose certificates are for one of the given
// identities, DNS names or URIs such as spiffe://example.org/shop; a * at the end of one
// stands for whatever may follow. Others get an error with code 403. It takes an
// authority whose certificates callers have to show: TLSFiles, or ClientAuth in
// AuthTLS. Without identities, all are let in.
func AllowCallers(identities ...string) server.Option {
	return setTLS(func(s *secure.Server) { s.Allow = identities })
}

// setTLS returns the option that changes a copy of what is said of TLS.
func setTLS(change func(*secure.Server)) server.Option {
	return func(o *server.Options) {
		s := tlsOf(o.Context)
		change(&s)
		o.Context = settings.With(o.Context, &s)
	}
}

// tlsOf returns what is said of TLS in ctx, which may be nil.
func tlsOf(ctx context.Context) secure.Server {
	if s := tlsPointer(ctx); s != nil {
		return *s
	}
	return secure.Server{}
}

// tlsPointer returns what is not changed once it is there, nil if nothing is said.
func tlsPointer(ctx context.Context) *secure.Server {
	s, _ := settings.Of[*secure.Server](ctx)
	return s
}

// security returns what the options say of TLS. The transport speaks for the calls of v2's
// programs, as far as nothing else does. A listener of the program's own may speak TLS itself.
func security(o server.Options) secure.Server {
	s := tlsOf(o.Context)
	if settingsOf(o.Context).listener != nil {
		return s
	}
	if s.Config == nil {
		s.Config = o.TLSConfig
	}
	if o.Transport != nil {
		t := o.Transport.Options()
		if s.Config == nil {
			s.Config = t.TLSConfig
		}
		s.Require = t.Secure
	}
	return s
}

// Caller is who a certificate says is calling.
type Caller struct {
	// Identities are the URIs and then the DNS names that the certificate is for.
	Identities []string
	// Certificate is the caller's, verified. It is shared and must not be changed.
	Certificate *x509.Certificate
}

// CallerOf returns who makes the call that ctx belongs to, in a handler or a wrapper. It
// reports false if the caller showed no certificate that was verified.
func CallerOf(ctx context.Context) (Caller, bool) {
	p, ok := peer.FromContext(ctx)
	if !ok {
		return Caller{}, false
	}
	info, ok := p.AuthInfo.(credentials.TLSInfo)
	if !ok || len(info.State.VerifiedChains) == 0 {
		return Caller{}, false
	}
	leaf := info.State.VerifiedChains[0][0]
	return Caller{Identities: secure.Identities(leaf), Certificate: leaf}, true
}

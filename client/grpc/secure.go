package grpc

import (
	"context"
	"crypto/tls"

	"github.com/rollcall-go/micro/client"
	"github.com/rollcall-go/micro/internal/reload"
	"github.com/rollcall-go/micro/internal/secure"
	"github.com/rollcall-go/micro/internal/settings"
)

// AuthTLS makes every connection a TLS connection with the given settings. Nil
// takes that back; then TLS, verified against the roots of the system, is used
// with addresses that begin with https://. The port says nothing.
func AuthTLS(t *tls.Config) client.Option {
	return setTLS(func(c *secure.Client) { c.Config = t })
}

// TLSFiles makes every connection a TLS connection. The nodes' certificates have to be
// signed by an authority in the file ca; if it is empty, by one that the system trusts.
// Nodes that ask for it are shown the certificate in the file cert, whose key is in
// the file key; both may be empty. All are PEM, and read again when they have changed.
// They go before what AuthTLS says. Where a file cannot be used, calls fail with the
// reason, as long as it never could be.
func TLSFiles(ca, cert, key string) client.Option {
	return setTLS(func(c *secure.Client) { c.Files = reload.Files{CA: ca, Cert: cert, Key: key} })
}

// TLSServerName makes every connection a TLS connection, and is the name that all nodes'
// certificates have to be for, in place of the hosts of their addresses.
func TLSServerName(name string) client.Option {
	return setTLS(func(c *secure.Client) { c.ServerName = name })
}

// TLSIdentity makes every connection a TLS connection, and says whom a node's certificate
// has to be for: "host", which is the default, the host of its address; "service", the
// name of the service, as a DNS name; or a URI in which {service} stands for the name of
// the service, such as spiffe://example.org/{service}, which has to be the one URI of the
// certificate. With the last two the authorities should sign for each service only what
// is its own: whoever may write in the registry says where calls go, and no longer who
// answers them.
func TLSIdentity(identity string) client.Option {
	return setTLS(func(c *secure.Client) { c.Identity = identity })
}

// PreferTLS makes TLS connections to nodes alone that say in their metadata that they speak
// TLS, or whose address begins with https://, and calls the others in plaintext: for the
// time in which a fleet is moved to TLS (docs/TLS.md). Whoever may write in the registry
// can then have calls made in plaintext. The default is not to.
func PreferTLS(prefer bool) client.Option {
	return setTLS(func(c *secure.Client) { c.Prefer = prefer })
}

// setTLS returns the option that changes what is said of TLS.
func setTLS(change func(*secure.Client)) client.Option {
	return func(o *client.Options) {
		c := tlsOf(o.Context)
		change(&c)
		o.Context = settings.With(o.Context, c)
	}
}

// security returns what the options say of TLS. The transport speaks for the calls of v2's
// programs, as far as no option of this package does.
func security(o client.Options) secure.Client {
	c := tlsOf(o.Context)
	if o.Transport == nil {
		return c
	}
	t := o.Transport.Options()
	if c.Config == nil {
		c.Config = t.TLSConfig
	}
	if t.Secure && !c.Given() {
		c.Require = true
	}
	return c
}

// tlsOf returns what is said of TLS in ctx, which may be nil.
func tlsOf(ctx context.Context) secure.Client {
	c, _ := settings.Of[secure.Client](ctx)
	return c
}

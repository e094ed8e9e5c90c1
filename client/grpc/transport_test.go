package grpc

import (
	"crypto/tls"
	"crypto/x509"
	"net/http/httptest"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"

	"github.com/rollcall-go/micro/client"
	"github.com/rollcall-go/micro/transport"
)

// TestTheTransportSecuresCalls has a transport say how calls are made, which carries none.
func TestTheTransportSecuresCalls(t *testing.T) {
	h := httptest.NewUnstartedServer(nil)
	h.StartTLS()
	defer h.Close()
	roots := x509.NewCertPool()
	roots.AddCert(h.Certificate())
	n := serve(t, echo, grpc.Creds(credentials.NewServerTLSFromCert(&h.TLS.Certificates[0])))
	r := register(t, service("echo", n))
	by := func(opts ...transport.Option) client.Option { return client.Transport(transport.NewTransport(opts...)) }
	trusting := &tls.Config{RootCAs: roots}

	for name, o := range map[string][]client.Option{
		"TLSConfig":            {by(transport.TLSConfig(trusting))},
		"Secure and TLSConfig": {by(transport.Secure(true), transport.TLSConfig(trusting))},
		"AuthTLS goes first":   {by(transport.Secure(true), transport.TLSConfig(&tls.Config{RootCAs: x509.NewCertPool()})), AuthTLS(trusting)},
	} {
		t.Log(name)
		mustSay(t, newClient(t, append(o, client.Registry(r))...), "x")
	}
	later := newClient(t, client.Registry(r))
	if err := later.Init(by(transport.TLSConfig(trusting))); err != nil {
		t.Fatal(err)
	}
	mustSay(t, later, "x")

	// Without anything to trust, what the system trusts: never in plaintext, never unverified.
	_, err := say(t.Context(), newClient(t, client.Registry(r), by(transport.Secure(true))), "x")
	if err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("the roots of the system: %v", err)
	}
	plain := register(t, service("echo", serve(t, echo)))
	if _, err := say(t.Context(), newClient(t, client.Registry(plain), by(transport.Secure(true))), "x"); err == nil {
		t.Error("a node that speaks no TLS was called in plaintext")
	}
}

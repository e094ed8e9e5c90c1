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
)

func TestTLS(t *testing.T) {
	// httptest brings a certificate for 127.0.0.1 and its root.
	h := httptest.NewUnstartedServer(nil)
	h.StartTLS()
	defer h.Close()
	roots := x509.NewCertPool()
	roots.AddCert(h.Certificate())
	n := serve(t, echo, grpc.Creds(credentials.NewServerTLSFromCert(&h.TLS.Certificates[0])))
	r := register(t, service("echo", n))

	mustSay(t, newClient(t, client.Registry(r), AuthTLS(&tls.Config{RootCAs: roots})), "x")
	mustSay(t, newClient(t, AuthTLS(&tls.Config{RootCAs: roots})), "x", client.WithAddress("https://"+n.Address))
	_, err := say(t.Context(), newClient(t, client.Registry(r), AuthTLS(&tls.Config{RootCAs: x509.NewCertPool()})), "x")
	if err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("an unknown root: got %v", err)
	}
	_, err = say(t.Context(), newClient(t), "x", client.WithAddress("https://"+n.Address))
	if err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("the roots of the system: got %v", err)
	}
}

package grpc

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
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

func TestTarget(t *testing.T) {
	for address, want := range map[string]string{
		"127.0.0.1:80":      "127.0.0.1:80 false",
		"127.0.0.1:443":     "127.0.0.1:443 true",
		"example.com":       "example.com:443 true",
		"https://a.com":     "a.com:443 true",
		"https://a.com:844": "a.com:844 true",
		"[::1]:80":          "[::1]:80 false",
		"[::1]":             "[::1]:443 true",
	} {
		host, secure := target(address)
		if got := fmt.Sprint(host, " ", secure); got != want {
			t.Errorf("%q: got %s, want %s", address, got, want)
		}
	}
}

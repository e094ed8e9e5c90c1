package conn

import (
	"crypto/tls"
	"crypto/x509"
	"net/http/httptest"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"

	"github.com/rollcall-go/micro/internal/secure"
	"github.com/rollcall-go/micro/internal/testkit"
)

// Pings and settings are seen through TLS as well.
func TestPingsOverTLS(t *testing.T) {
	h := httptest.NewUnstartedServer(nil) // brings a certificate for 127.0.0.1
	h.StartTLS()
	defer h.Close()
	roots := x509.NewCertPool()
	roots.AddCert(h.Certificate())
	entered, leave := make(chan struct{}, 1), make(chan struct{})
	n := serve(t, "", gate(entered, leave), grpc.Creds(credentials.NewServerTLSFromCert(&h.TLS.Certificates[0])), grpc.MaxConcurrentStreams(7))
	e := ours(n.address)
	e.TLS = true
	c := mustNode(t, newSet(t, Options{TLS: secure.NewDialer(secure.Client{Config: &tls.Config{RootCAs: roots}}, nil), Silence: 2 * time.Second}), e)
	answered := make(chan error, 1)
	go func() { answered <- callWithin(t.Context(), c, 20*time.Second) }()
	<-entered
	testkit.Eventually(t, inTime, "a ping was answered", func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		h := c.wires[0].hearing
		return h.pings > 0 && h.pinged == 0
	})
	close(leave)
	if err := <-answered; err != nil {
		t.Error(err)
	}
	if got := c.current.Load().streams.Load(); got != 7 {
		t.Errorf("%d streams are allowed, want 7", got)
	}
}

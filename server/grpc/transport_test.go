package grpc_test

import (
	"crypto/tls"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"

	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/internal/testkit/currentpb"
	"github.com/rollcall-go/micro/registry/memory"
	"github.com/rollcall-go/micro/server"
	sgrpc "github.com/rollcall-go/micro/server/grpc"
	"github.com/rollcall-go/micro/transport"
)

// TestTheTransportSecuresCalls has a transport say how calls are served, which carries none.
func TestTheTransportSecuresCalls(t *testing.T) {
	ca := testkit.NewCA(t)
	files := ca.Server(t)
	cert, err := tls.LoadX509KeyPair(files.CertFile, files.KeyFile)
	if err != nil {
		t.Fatal(err)
	}
	config := &tls.Config{Certificates: []tls.Certificate{cert}}
	for name, o := range map[string][]server.Option{
		"TLSConfig":            {server.Transport(transport.NewTransport(transport.TLSConfig(config)))},
		"Secure and TLSConfig": {server.Transport(transport.NewTransport(transport.Secure(true), transport.TLSConfig(config)))},
		"Secure, and AuthTLS":  {server.Transport(transport.NewTransport(transport.Secure(true))), sgrpc.AuthTLS(config)},
		"AuthTLS goes first":   {server.Transport(transport.NewTransport(transport.TLSConfig(&tls.Config{}))), sgrpc.AuthTLS(config)},
	} {
		f := start(t, o...)
		f.conn = dial(t, f.server.Options().Address, grpc.WithTransportCredentials(credentials.NewTLS(ca.TLS())))
		if got, err := f.say(t.Context(), "hi"); err != nil || got != "hi" {
			t.Errorf("%s: got %q, %v", name, got, err)
		}
		plain := dial(t, f.server.Options().Address, insecureCredentials)
		if err := plain.Invoke(t.Context(), "/Echo/Say", &currentpb.SayRequest{}, &currentpb.SayReply{}); err == nil {
			t.Errorf("%s: a client without TLS was answered", name)
		}
	}
}

func TestSecureWithoutACertificateDoesNotStart(t *testing.T) {
	s := sgrpc.NewServer(server.Registry(memory.NewRegistry()), server.Address("127.0.0.1:0"), server.Transport(transport.NewTransport(transport.Secure(true))))
	if err := s.Start(); err == nil || !strings.Contains(err.Error(), "transport.Secure") || !strings.Contains(err.Error(), "--server_tls_cert") {
		t.Errorf("it starts with %v", err)
	}
}

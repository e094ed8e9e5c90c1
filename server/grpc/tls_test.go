package grpc_test

import (
	"crypto/tls"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"

	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/internal/testkit/currentpb"
	"github.com/rollcall-go/micro/server"
	sgrpc "github.com/rollcall-go/micro/server/grpc"
)

func TestTLS(t *testing.T) {
	ca := testkit.NewCA(t)
	files := ca.Server(t)
	cert, err := tls.LoadX509KeyPair(files.CertFile, files.KeyFile)
	if err != nil {
		t.Fatal(err)
	}
	config := &tls.Config{Certificates: []tls.Certificate{cert}}
	for name, o := range map[string]server.Option{"AuthTLS": sgrpc.AuthTLS(config), "TLSConfig": server.TLSConfig(config)} {
		f := start(t, o)
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

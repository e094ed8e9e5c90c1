package faults

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/peer"

	"github.com/rollcall-go/micro"
	"github.com/rollcall-go/micro/client"
	cgrpc "github.com/rollcall-go/micro/client/grpc"
	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/internal/testkit/fleet"
	"github.com/rollcall-go/micro/registry/memory"
	"github.com/rollcall-go/micro/server"
	sgrpc "github.com/rollcall-go/micro/server/grpc"
)

// transports counts calls by how they came.
type transports struct{ plain, secured atomic.Int64 }

func (c *transports) wrap(next server.HandlerFunc) server.HandlerFunc {
	return func(ctx context.Context, req server.Request, rsp any) error {
		if p, ok := peer.FromContext(ctx); ok && p.AuthInfo != nil && p.AuthInfo.AuthType() == "tls" {
			c.secured.Add(1)
		} else {
			c.plain.Add(1)
		}
		return next(ctx, req, rsp)
	}
}

// TestAFleetMovesToTLS moves three nodes and their callers from plaintext to TLS and back,
// step by step as docs/TLS.md says, under calls of which none fails. A caller who
// never heard of TLS, as those of go-micro v2, goes on until the last step.
func TestAFleetMovesToTLS(t *testing.T) {
	t.Parallel()
	ca := testkit.NewCA(t)
	pair := ca.Issue(t, testkit.Subject{Name: "shop", Hosts: []string{"shop"}})
	files := sgrpc.TLSFiles("", pair.CertFile, pair.KeyFile)
	r := memory.NewRegistry()
	var counted transports
	var nodes []*fleet.Node
	// roll replaces the nodes, one after the other.
	roll := func(load []*fleet.Load, opts ...server.Option) {
		t.Helper()
		before := nodes
		nodes = nil
		for i := range 3 {
			settings := append([]server.Option{sgrpc.DeregisterDelay(200 * time.Millisecond), server.WrapHandler(counted.wrap)}, opts...)
			nodes = append(nodes, fleet.Service(t, "shop", r, settings))
			if i < len(before) {
				if err := before[i].Stop(); err != nil {
					t.Error(err)
				}
			}
		}
		for _, l := range load {
			l.More(t, 200)
		}
	}
	roll(nil)
	moved, stays := fleet.Client(t, r), fleet.Client(t, r)
	trust := []client.Option{cgrpc.TLSFiles(ca.File, "", ""), cgrpc.TLSIdentity("service")}
	mover, stayer := fleet.StartLoad(t, moved, "shop", 3, 0), fleet.StartLoad(t, stays, "shop", 3, 0)
	all := []*fleet.Load{mover, stayer}
	for _, l := range all {
		l.More(t, 200)
	}

	roll(all, files, sgrpc.AcceptPlaintext(true))
	if n := counted.secured.Load(); n > 0 {
		t.Errorf("%d calls by TLS before the callers were moved", n)
	}
	if err := moved.Init(append(trust, cgrpc.PreferTLS(true))...); err != nil {
		t.Fatal(err)
	}
	mover.More(t, 200)
	if counted.secured.Load() == 0 {
		t.Error("no call by TLS since the callers prefer it")
	}
	stayer.Stop()
	roll([]*fleet.Load{mover}, files)
	counted.plain.Store(0)
	if err := moved.Init(cgrpc.PreferTLS(false)); err != nil {
		t.Fatal(err)
	}
	mover.More(t, 200)
	if n := counted.plain.Load(); n > 0 {
		t.Errorf("%d calls in plaintext after the last step", n)
	}

	// And back.
	if err := moved.Init(cgrpc.PreferTLS(true)); err != nil {
		t.Fatal(err)
	}
	roll([]*fleet.Load{mover}, files, sgrpc.AcceptPlaintext(true))
	roll([]*fleet.Load{mover})
	mover.Stop()
	for name, l := range map[string]*fleet.Load{"the one that moved": mover, "the one that stayed": stayer} {
		if l.Failed() > 0 {
			t.Errorf("%s: %v: %v", name, l, l.Err())
		}
	}
}

// TestTLSIsSaid calls each kind of node by each kind of caller that does not fit: the error
// says so and names the option, and comes in time.
func TestTLSIsSaid(t *testing.T) {
	t.Parallel()
	ca, other := testkit.NewCA(t), testkit.NewCA(t)
	host := ca.Server(t)
	r := memory.NewRegistry()
	node := func(name string, settings ...server.Option) *fleet.Node { return fleet.Service(t, name, r, settings) }
	secured := node("secured", sgrpc.TLSFiles("", host.CertFile, host.KeyFile))
	plain := node("plain")
	node("mutual", sgrpc.TLSFiles(ca.File, host.CertFile, host.KeyFile))
	node("guarded", sgrpc.TLSFiles(ca.File, host.CertFile, host.KeyFile), sgrpc.AllowCallers("web"))
	byTLS := []client.Option{cgrpc.TLSFiles(ca.File, "", "")}
	bank := ca.Client(t, "bank")
	for _, tc := range []struct {
		name    string
		service string
		opts    []client.Option
		call    []client.CallOption
		want    []string
	}{
		{"plaintext to TLS, by metadata", "secured", nil, nil, []string{"speaks TLS only", "--client_tls_ca", "TLSFiles"}},
		{"plaintext to TLS, by address", "secured", nil, []client.CallOption{client.WithAddress(secured.Address())}, []string{"speaks TLS only", "plaintext", "--client_tls_ca", "AuthTLS"}},
		{"TLS to plaintext", "plain", byTLS, nil, []string{"answers in plaintext", "--server_tls_cert", "--client_tls_mode=prefer", "PreferTLS"}},
		{"another authority", "secured", []client.Option{cgrpc.TLSFiles(other.File, "", "")}, nil, []string{"--client_tls_ca", other.File}},
		{"another service", "secured", append([]client.Option{cgrpc.TLSIdentity("service")}, byTLS...), nil, []string{`"localhost"`, `not for "secured"`, "--client_tls_identity"}},
		{"no certificate", "mutual", byTLS, nil, []string{"none was shown", "--client_tls_cert"}},
		{"not among the callers", "guarded", []client.Option{cgrpc.TLSFiles(ca.File, bank.CertFile, bank.KeyFile)}, nil, []string{`"localhost"`, "--server_tls_allow", "AllowCallers", `"code":403`}},
		{"a file that is not there", "secured", []client.Option{cgrpc.TLSFiles("/nowhere/ca.pem", "", "")}, nil, []string{"/nowhere/ca.pem"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			began := time.Now()
			err := fleet.Say(t.Context(), fleet.Client(t, r, func(o *micro.Options) { _ = o.Client.Init(tc.opts...) }), tc.service, tc.call...)
			if err == nil {
				t.Fatal("there was no error")
			}
			for _, want := range tc.want {
				if text := strings.ReplaceAll(err.Error(), `\`, ""); !strings.Contains(text, want) { // it is JSON
					t.Errorf("%s\nlacks %q", text, want)
				}
			}
			if took := time.Since(began); took > 4*time.Second {
				t.Errorf("it took %v", took)
			}
		})
	}

	// Any client of gRPC reads the reason.
	for _, n := range []*fleet.Node{secured, plain} {
		creds := insecure.NewCredentials()
		if n == plain {
			creds = credentials.NewTLS(ca.TLS())
		}
		cc, err := grpc.NewClient(n.Address(), grpc.WithTransportCredentials(creds))
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		err = cc.Invoke(ctx, "/x.Echo/Say", nil, nil)
		cancel()
		if n == secured && (err == nil || !strings.Contains(err.Error(), "this server speaks TLS only")) {
			t.Errorf("a client of grpc in plaintext: %v", err)
		}
		if err == nil {
			t.Error("it was served")
		}
		if err := cc.Close(); err != nil {
			t.Error(err)
		}
	}
}

// TestCallersAreKnown shows who calls, to a handler, and lets those in who may.
func TestCallersAreKnown(t *testing.T) {
	t.Parallel()
	ca := testkit.NewCA(t)
	shop := ca.Issue(t, testkit.Subject{Name: "shop", Hosts: []string{}, URIs: []string{"spiffe://example.org/shop"}})
	web := ca.Issue(t, testkit.Subject{Name: "web", Hosts: []string{"web"}, URIs: []string{"spiffe://example.org/web"}})
	r := memory.NewRegistry()
	var caller atomic.Value
	know := func(next server.HandlerFunc) server.HandlerFunc {
		return func(ctx context.Context, req server.Request, rsp any) error {
			c, ok := sgrpc.CallerOf(ctx)
			caller.Store(fmt.Sprint(ok, c.Identities))
			return next(ctx, req, rsp)
		}
	}
	fleet.Service(t, "shop", r, []server.Option{sgrpc.TLSFiles(ca.File, shop.CertFile, shop.KeyFile), sgrpc.AllowCallers("spiffe://example.org/*"), server.WrapHandler(know)})
	c := fleet.Client(t, r, func(o *micro.Options) {
		_ = o.Client.Init(cgrpc.TLSFiles(ca.File, web.CertFile, web.KeyFile), cgrpc.TLSIdentity("spiffe://example.org/{service}"))
	})
	fleet.MustSay(t, c, "shop")
	if got := caller.Load(); got != "true [spiffe://example.org/web web]" {
		t.Errorf("the handler sees %v", got)
	}
	if _, ok := sgrpc.CallerOf(t.Context()); ok {
		t.Error("nobody calls, and there is a caller")
	}
}

// TestCertificatesEndAndAreRenewed has the certificate of a node end while it is called:
// the connection that stands goes on, one that is new needs the renewed files.
func TestCertificatesEndAndAreRenewed(t *testing.T) {
	t.Parallel()
	ca := testkit.NewCA(t)
	in := ca.Server(t)
	r := memory.NewRegistry()
	fleet.Service(t, "shop", r, []server.Option{sgrpc.TLSFiles("", in.CertFile, in.KeyFile)})
	caller := func() client.Client {
		return fleet.Client(t, r, func(o *micro.Options) { _ = o.Client.Init(cgrpc.TLSFiles(ca.File, "", "")) })
	}
	old := caller()
	fleet.MustSay(t, old, "shop")
	ca.Issue(t, testkit.Subject{Name: "ended", Until: time.Now().Add(-time.Minute)}).Replace(t, in)
	if err := fleet.Say(t.Context(), caller(), "shop"); err == nil || !strings.Contains(err.Error(), "it is valid from") {
		t.Errorf("a new connection: %v", err)
	}
	fleet.MustSay(t, old, "shop")
	ca.Server(t).Replace(t, in)
	fleet.MustSay(t, caller(), "shop")
	fleet.MustSay(t, old, "shop")
}

// TestNobodyWaitsForTheSilent has a crowd connect to a server and say nothing, half of a
// handshake, or half of a preface: others are served, and a stop does not wait.
func TestNobodyWaitsForTheSilent(t *testing.T) {
	t.Parallel()
	ca := testkit.NewCA(t)
	host := ca.Server(t)
	r := memory.NewRegistry()
	for _, both := range []bool{false, true} {
		n := fleet.Service(t, fmt.Sprint("shop", both), r, []server.Option{sgrpc.TLSFiles("", host.CertFile, host.KeyFile), sgrpc.AcceptPlaintext(both)})
		for i := range 60 {
			raw, err := net.Dial("tcp", n.Address())
			if err != nil {
				t.Fatal(err)
			}
			defer raw.Close()
			said := [][]byte{nil, []byte("\x16\x03\x01\x02"), []byte("P")}[i%3]
			if _, err := raw.Write(said); err != nil {
				t.Fatal(err)
			}
		}
		fleet.MustSay(t, fleet.Client(t, r, func(o *micro.Options) { _ = o.Client.Init(cgrpc.TLSFiles(ca.File, "", "")) }), fmt.Sprint("shop", both))
		began := time.Now()
		if err := n.Stop(); err != nil {
			t.Error(err)
		}
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("the stop took %v", took)
		}
	}
}

// TestTLSAsV2Had calls servers and clients that are set up by v2's options alone.
func TestTLSAsV2Had(t *testing.T) {
	t.Parallel()
	ca := testkit.NewCA(t)
	config := &tls.Config{Certificates: []tls.Certificate{ca.Server(t).Load(t)}}
	r := memory.NewRegistry()
	for name, o := range map[string]server.Option{"auth": sgrpc.AuthTLS(config), "config": server.TLSConfig(config)} {
		n := fleet.Service(t, name, r, []server.Option{o})
		c := fleet.Client(t, r, func(o *micro.Options) { _ = o.Client.Init(cgrpc.AuthTLS(ca.TLS())) })
		fleet.MustSay(t, c, name)
		fleet.MustSay(t, c, name, client.WithAddress(n.Address()))
	}
}

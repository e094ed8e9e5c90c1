package interop_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-go/micro"
	"github.com/rollcall-go/micro/client"
	cgrpc "github.com/rollcall-go/micro/client/grpc"
	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/internal/testkit/fleet"
	"github.com/rollcall-go/micro/interop/peer"
	"github.com/rollcall-go/micro/server"
	sgrpc "github.com/rollcall-go/micro/server/grpc"
)

// TestTLS has callers and nodes of v2 in a fleet that is moved to TLS, at each step of
// docs/TLS.md.
func TestTLS(t *testing.T) {
	etcd := testkit.StartEtcd(t)
	r := fleet.Registry(t, etcd.Addr())
	ca := testkit.NewCA(t)
	host := ca.Server(t)
	files := sgrpc.TLSFiles("", host.CertFile, host.KeyFile)
	fleet.Service(t, "both", r, []server.Option{files, sgrpc.AcceptPlaintext(true)})
	fleet.Service(t, "only", r, []server.Option{files})

	serve := func(name string, flags ...string) {
		p := run(t, v2, etcd.Addr(), "interop.server", flags...)
		p.start(peer.Service{Name: name, ID: "one", TTL: 10 * time.Second, Interval: 3 * time.Second})
		storeOf(t, etcd).there(name, name+"-one")
	}
	pair := []string{"-tls_cert", host.CertFile, "-tls_key", host.KeyFile}
	serve("v2.plain")
	serve("v2.auth", pair...)
	serve("v2.config", append(slices.Clone(pair), "-tls_how", "config")...)

	t.Run("v2 calls ours", func(t *testing.T) {
		plain, secured := run(t, v2, etcd.Addr(), "interop.caller"), run(t, v2, etcd.Addr(), "interop.caller", "-tls_ca", ca.File)
		for _, tc := range []struct {
			caller  *program
			service string
			want    []string // in the error
		}{
			{plain, "both", nil}, {secured, "both", nil}, {secured, "only", nil},
			{plain, "only", []string{"this server speaks TLS only", "AuthTLS"}},
		} {
			_, err := tc.caller.call(peer.Call{Service: tc.service, Endpoint: "Greeter.Hello", Body: json.RawMessage(`{"name":"x"}`)})
			says(t, tc.service, err, tc.want)
		}
	})
	t.Run("ours calls v2", func(t *testing.T) {
		caller := func(opts ...client.Option) client.Client {
			return fleet.Client(t, r, func(o *micro.Options) { _ = o.Client.Init(opts...) })
		}
		trust := cgrpc.TLSFiles(ca.File, "", "")
		plain, prefers, secured := caller(), caller(trust, cgrpc.PreferTLS(true)), caller(trust)
		for _, tc := range []struct {
			caller  client.Client
			service string
			want    []string
		}{
			{plain, "v2.plain", nil}, {prefers, "v2.plain", nil}, {secured, "v2.auth", nil}, {secured, "v2.config", nil},
			{secured, "v2.plain", []string{"answers in plaintext", "PreferTLS"}},
			{plain, "v2.auth", []string{"speaks TLS", "TLSFiles"}},
			{plain, "v2.config", []string{"speaks TLS", "TLSFiles"}},
		} {
			_, err := fleet.Call(t.Context(), tc.caller, tc.service, "Plain.Echo", "x")
			says(t, tc.service, err, tc.want)
		}
	})
}

// says checks what an error has in it; nothing is wanted of one that there must not be.
func says(t *testing.T, what string, err error, want []string) {
	t.Helper()
	if len(want) == 0 && err != nil || len(want) > 0 && err == nil {
		t.Errorf("%s: %v", what, err)
		return
	}
	for _, w := range want {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("%s: %v lacks %q", what, err, w)
		}
	}
}

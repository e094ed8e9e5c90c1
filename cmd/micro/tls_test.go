package main

import (
	"slices"
	"strings"
	"testing"

	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/internal/testkit/fleet"
	"github.com/rollcall-go/micro/registry"
	"github.com/rollcall-go/micro/registry/etcd"
	"github.com/rollcall-go/micro/server"
	sgrpc "github.com/rollcall-go/micro/server/grpc"
)

// TestCallAndDoctorByTLS calls a node that speaks TLS only, and looks at it. It is not
// parallel: the library of the command line keeps the flag --help in a global.
func TestCallAndDoctorByTLS(t *testing.T) {
	where := testkit.StartEtcd(t).Addr()
	ca := testkit.NewCA(t)
	shop, caller := ca.Issue(t, testkit.Subject{Name: "shop", Hosts: []string{"shop"}}), ca.Client(t, "caller")
	r := etcd.NewRegistry(registry.Addrs(where))
	t.Cleanup(func() { fleet.Close(t, r) })
	n := fleet.Service(t, "shop", r, []server.Option{sgrpc.TLSFiles(ca.File, shop.CertFile, shop.KeyFile)})
	trust := []string{"--client_tls_ca", ca.File, "--client_tls_identity", "service"}
	mutual := slices.Concat([]string{"--client_tls_cert", caller.CertFile, "--client_tls_key", caller.KeyFile}, trust)
	call := []string{"call", "shop", "Echo.Say", `{"Text": "hello"}`}
	for _, tc := range []struct {
		name string
		args []string
		code int
		want []string
	}{
		{"by name", slices.Concat(mutual, call), exitOK, []string{"hello"}},
		{"by address", slices.Concat(mutual, call, []string{"--address", n.Address()}), exitOK, []string{"hello"}},
		{"in plaintext", call, exitFailed, []string{"speaks TLS only", "--client_tls_ca"}},
		{"in plaintext, by address", slices.Concat(call, []string{"--address", n.Address()}), exitFailed, []string{"speaks TLS only", "--client_tls_ca"}},
		{"no certificate", slices.Concat(trust, call), exitFailed, []string{"none was shown", "--client_tls_cert"}},
		{"by host", append([]string{"--client_tls_ca", ca.File, "--client_tls_cert", caller.CertFile, "--client_tls_key", caller.KeyFile}, call...), exitFailed, []string{`shop`, `127.0.0.1`, "--client_tls_identity=service"}},
		{"a wrong flag", append([]string{"--client_tls_mode", "off"}, call...), exitUsage, []string{"--client_tls_mode", "want require or prefer"}},
		{"a file that is none", append([]string{"--client_tls_ca", "/nowhere.pem"}, call...), exitUsage, []string{"--client_tls_ca", "/nowhere.pem"}},
		{"explain in plaintext", []string{"explain", "shop", "Echo.Say"}, exitOK, []string{" tls ", "speaks TLS only", "off: in plaintext"}},
		{"explain", slices.Concat(mutual, []string{"explain", "shop", "Echo.Say"}), exitOK, []string{"100.0 %", "flag --client_tls_ca"}},
		{"explain by host", []string{"explain", "shop", "Echo.Say", "--client_tls_ca", ca.File}, exitOK, []string{" ejection ", "--client_tls_identity=service"}},
		{"explain without a certificate", slices.Concat(trust, []string{"explain", "shop", "Echo.Say"}), exitOK, []string{" ejection ", "none was shown"}},
		{"explain with a wrong flag", []string{"explain", "shop", "Echo.Say", "--client_tls_mode", "off"}, exitUsage, []string{"--client_tls_mode", "want require or prefer"}},
		{"doctor", slices.Concat(mutual, []string{"doctor"}), exitOK, []string{"called by TLS", "[node.tls]"}},
		{"doctor without a word", []string{"doctor"}, exitFailed, []string{"[node.tls_unverified]", "[node.tls_certificate_wanted]"}},
		{"doctor by host", []string{"doctor", "--client_tls_ca", ca.File}, exitFailed, []string{"[node.tls_wrong_name]"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var stdout, stderr text // the node in this process writes to the log meanwhile
			code := run(t.Context(), append([]string{"micro", "--registry", "etcd", "--registry_address", where}, tc.args...), &stdout, &stderr)
			said := stdout.String() + stderr.String()
			if code != tc.code {
				t.Errorf("exit code %d, want %d", code, tc.code)
			}
			for _, want := range tc.want {
				if !strings.Contains(said, want) {
					t.Errorf("lacks %q", want)
				}
			}
			if t.Failed() {
				t.Log(said)
			}
		})
	}
}

package doctor

import (
	"crypto/tls"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-go/micro/internal/reload"
	"github.com/rollcall-go/micro/internal/secure"
	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/registry"
)

// speaker starts something that speaks TLS with the certificate and returns its node.
func speaker(t *testing.T, id string, config *tls.Config) *registry.Node {
	t.Helper()
	s := httptest.NewUnstartedServer(nil)
	s.TLS, s.EnableHTTP2 = config, true // whose first frame the server sends by itself
	s.StartTLS()
	t.Cleanup(s.Close)
	return &registry.Node{Id: id, Address: s.Listener.Addr().String(), Metadata: map[string]string{"tls": "only"}}
}

// TestNodesByTLS looks at a fleet in which something is wrong with every node but one.
func TestNodesByTLS(t *testing.T) {
	ca, other := testkit.NewCA(t), testkit.NewCA(t)
	of := func(c testkit.Certificate) *tls.Config {
		return &tls.Config{Certificates: []tls.Certificate{c.Load(t)}}
	}
	mutual := of(ca.Server(t))
	mutual.ClientAuth = tls.RequireAnyClientCert
	plain := httptest.NewServer(nil)
	t.Cleanup(plain.Close)
	at := strings.TrimPrefix(plain.URL, "http://")
	services := []*registry.Service{{Name: "shop", Nodes: []*registry.Node{
		speaker(t, "good", of(ca.Server(t))),
		speaker(t, "stranger", of(other.Server(t))),
		speaker(t, "renamed", of(ca.Issue(t, testkit.Subject{Name: "bank", Hosts: []string{"bank"}}))),
		speaker(t, "ended", of(ca.Issue(t, testkit.Subject{Name: "ended", From: time.Now().Add(-2 * time.Hour), Until: time.Now().Add(-time.Hour)}))),
		speaker(t, "ends", of(ca.Issue(t, testkit.Subject{Name: "ends", From: time.Now().Add(-100 * 24 * time.Hour), Until: time.Now().Add(24 * time.Hour)}))),
		speaker(t, "mutual", mutual),
		{Id: "liar", Address: at, Metadata: map[string]string{"tls": "both"}},
		{Id: "plain", Address: at},
		{Id: "malformed", Address: "nowhere", Metadata: map[string]string{"tls": "both"}},
	}}}
	byTLS := secure.Client{Files: reload.Files{CA: ca.File}, Prefer: true}
	all := ExamineTLS(t.Context(), byTLS, services)
	want(t, all, "problem node.tls_unknown_authority", "problem node.tls_wrong_name", "problem node.tls_expired", "problem node.tls_not_spoken",
		"problem node.tls_certificate_wanted", "warning node.tls_expires_soon", "warning node.plaintext", "warning node.takes_plaintext")
	subjects := map[string]string{}
	for _, f := range all {
		subjects[f.Code] = f.Subject
		if f.Cause == "" || (f.Fix == "") != (f.Level == OK) {
			t.Errorf("incomplete: %+v", f)
		}
	}
	for code, subject := range map[string]string{
		"node.tls_unknown_authority": "shop/stranger", "node.tls_wrong_name": "shop/renamed", "node.tls_expired": "shop/ended", "node.tls_expires_soon": "shop/ends",
		"node.tls_certificate_wanted": "shop/mutual", "node.tls_not_spoken": "shop/liar", "node.plaintext": "shop/plain", "node.takes_plaintext": "shop/liar", "node.tls": "2 nodes",
	} {
		if subjects[code] != subject {
			t.Errorf("%s is of %q, want %q", code, subjects[code], subject)
		}
	}

	want(t, ExamineTLS(t.Context(), secure.Client{}, services[:1:1]), "warning node.tls_unverified", "problem node.tls_expired", "problem node.tls_not_spoken",
		"problem node.tls_certificate_wanted", "warning node.tls_expires_soon", "warning node.plaintext", "warning node.takes_plaintext")
	want(t, ExamineTLS(t.Context(), secure.Client{}, []*registry.Service{{Name: "shop", Nodes: []*registry.Node{{Id: "plain", Address: at}}}}))
}

package etcd

import (
	"context"
	"crypto/tls"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/rollcall-go/micro/internal/refusal"
	"github.com/rollcall-go/micro/internal/reload"
	"github.com/rollcall-go/micro/internal/testkit"
)

// What somebody has to mend is told at once, or after the second in which it may
// have mended itself; what may pass is waited for until the deadline.
func TestRefusalsAreToldAtOnce(t *testing.T) {
	t.Parallel()
	const patience = 8 * time.Second
	ca, other := testkit.NewCA(t), testkit.NewCA(t)
	plain := testkit.StartEtcd(t)
	secure := testkit.StartEtcd(t, testkit.WithTLS(ca))
	users := testkit.StartEtcd(t)
	users.EnableAuth(t, "svc", "pw")
	for what, tt := range map[string]struct {
		cfg  Config
		kind refusal.Kind
		text string
	}{
		"wrong password":                {Config{Addrs: []string{users.Addr()}, Username: "svc", Password: "no"}, refusal.Login, `authentication failed for user "svc"`},
		"unknown user":                  {Config{Addrs: []string{users.Addr()}, Username: "who", Password: "pw"}, refusal.Login, `authentication failed for user "who"`},
		"no password":                   {Config{Addrs: []string{users.Addr()}}, refusal.Login, "it wants a user and a password, and none are given"},
		"another authority":             {Config{Addrs: []string{secure.Addr()}, TLS: other.TLS()}, refusal.Mismatch, "unknown authority"},
		"another name":                  {Config{Addrs: []string{secure.Addr()}, TLS: &tls.Config{RootCAs: ca.TLS().RootCAs, ServerName: "x.example"}}, refusal.Mismatch, "x.example"},
		"plain text to TLS":             {Config{Addrs: []string{secure.Addr()}}, refusal.Mismatch, "speaks TLS"},
		"TLS to plain text":             {Config{Addrs: []string{"https://" + plain.Addr()}}, refusal.Mismatch, "TLS handshake"},
		"no such name":                  {Config{Addrs: []string{"no-such-host.invalid:2379"}}, refusal.Mismatch, "no-such-host.invalid"},
		"no such file":                  {Config{Addrs: []string{secure.Addr()}, TLSFiles: reload.Files{CA: "/no/such/file"}}, refusal.Mismatch, "/no/such/file"},
		"one dead, the other refused":   {Config{Addrs: []string{"127.0.0.1:1", secure.Addr()}, TLS: other.TLS()}, refusal.Mismatch, "unknown authority"},
		"not there, which may yet pass": {Config{Addrs: []string{"127.0.0.1:1"}}, refusal.None, "connection refused"},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			tt.cfg.Timeout = patience
			if tt.kind == refusal.None {
				tt.cfg.Timeout = 2500 * time.Millisecond
			}
			c := open(t, tt.cfg)
			for range 2 {
				begun := time.Now()
				err := get(t, c)
				took := time.Since(begun)
				wantText(t, err, tt.text)
				if refusal.Of(err) != tt.kind {
					t.Errorf("%v is of kind %d, want %d", err, refusal.Of(err), tt.kind)
				}
				switch {
				case tt.kind == refusal.None && took < tt.cfg.Timeout:
					t.Errorf("told after %v, want the whole of %v", took, tt.cfg.Timeout)
				case tt.kind != refusal.None && took > patience/2:
					t.Errorf("told after %v: %v", took, err)
				}
			}
		})
	}
}

// A refused login that is put right is accepted within moments, and a name that
// appears within the second was not refused.
func TestANameThatAppears(t *testing.T) {
	t.Parallel()
	e := testkit.StartEtcd(t)
	there := make(chan struct{})
	c := open(t, Config{Addrs: []string{"etcd.test:" + portOf(t, e.Addr())}})
	c.link.members.lookup = func(context.Context, string) ([]netip.Addr, error) {
		select {
		case <-there:
			return []netip.Addr{netip.MustParseAddr("127.0.0.1")}, nil
		default:
			return nil, &net.DNSError{Err: "no such host", Name: "etcd.test", IsNotFound: true}
		}
	}
	asked := make(chan error, 1)
	go func() { asked <- get(t, c) }()
	testkit.Eventually(t, soon, "the name was looked up", func() bool { return c.Link().Err != nil })
	close(there)
	if err := <-asked; err != nil {
		t.Error(err)
	}
}

func portOf(t *testing.T, addr string) string {
	t.Helper()
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		t.Fatal(err)
	}
	return port
}

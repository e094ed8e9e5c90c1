package etcd_test

import (
	"crypto/tls"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/registry"
	"github.com/rollcall-go/micro/registry/etcd"
)

// A registry that is given files goes by what is in them when it connects and logs
// in: certificates and a password that were replaced meanwhile need no restart.
func TestCertificatesAndPasswordInFiles(t *testing.T) {
	t.Parallel()
	ca := testkit.NewCA(t)
	e := testkit.StartEtcd(t, testkit.WithTLS(ca), testkit.WithClientCerts())
	e.EnableAuth(t, "alice", "first")
	ended := time.Now().Add(-time.Minute)
	files := ca.Issue(t, testkit.Subject{Name: "alice", Until: ended})
	password := filepath.Join(t.TempDir(), "password")
	set := func(text string) {
		t.Helper()
		if err := os.WriteFile(password, []byte(text+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	set("wrong")
	r := open(t, e.Addr(), etcd.TLSFiles(ca.File, files.CertFile, files.KeyFile), etcd.AuthFile("alice", password))
	fails := func(text string) {
		t.Helper()
		testkit.Eventually(t, 10*time.Second, "an error says "+text, func() bool {
			_, err := r.ListServices()
			return err != nil && strings.Contains(err.Error(), text)
		})
	}
	works := func() {
		t.Helper()
		testkit.Eventually(t, 10*time.Second, "the node can be registered", func() bool { return r.Register(service("s", "a")) == nil })
	}
	fails("the certificate shown ended at " + ended.UTC().Format(time.RFC3339))
	ca.Client(t, "alice").Replace(t, files)
	fails("authentication failed")
	set("first")
	works()

	// A server's name holds beside the files.
	if err := r.Init(registry.TLSConfig(&tls.Config{ServerName: "etcd.example", MinVersion: tls.VersionTLS12})); err != nil {
		t.Fatal(err)
	}
	fails("etcd.example")
	if err := r.Init(registry.TLSConfig(&tls.Config{ServerName: "localhost", MinVersion: tls.VersionTLS12})); err != nil {
		t.Fatal(err)
	}
	works()
}

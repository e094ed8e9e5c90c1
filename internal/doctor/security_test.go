package doctor

import (
	"crypto/tls"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/rollcall-go/micro/internal/etcd"
	"github.com/rollcall-go/micro/internal/testkit"
)

func onTLS(c *tls.Config) func(*etcd.Config) { return func(cfg *etcd.Config) { cfg.TLS = c } }

func login(user, password string) func(*etcd.Config) {
	return func(cfg *etcd.Config) { cfg.Username, cfg.Password = user, password }
}

func TestTLS(t *testing.T) {
	t.Parallel()
	testkit.EachKind(t, func(t *testing.T, kind testkit.Kind) {
		ca, stranger := testkit.NewCA(t), testkit.NewCA(t)
		server := testkit.StartEtcd(t, testkit.OfKind(kind), testkit.WithTLS(ca))
		// The test certificates are valid for a day.
		want(t, examine(t, server.Addr(), onTLS(ca.TLS())), "warning tls.expires_soon")
		want(t, examine(t, server.URL(), onTLS(stranger.TLS())), "problem tls.unknown_authority")
		want(t, examine(t, server.URL()), "problem tls.unknown_authority") // the system's roots
		want(t, examine(t, server.Addr()), "problem tls.wanted")
		want(t, examine(t, server.Addr(), login("user", "secret")), "problem tls.wanted")
		wrong := ca.TLS()
		wrong.ServerName = "etcd.example"
		want(t, examine(t, server.Addr(), onTLS(wrong)), "problem tls.wrong_name")
	})
}

func TestClientCertificate(t *testing.T) {
	t.Parallel()
	testkit.EachKind(t, func(t *testing.T, kind testkit.Kind) {
		ca, stranger := testkit.NewCA(t), testkit.NewCA(t)
		server := testkit.StartEtcd(t, testkit.OfKind(kind), testkit.WithTLS(ca), testkit.WithClientCerts())
		want(t, examine(t, server.Addr(), onTLS(server.TLS(t))), "warning tls.expires_soon")
		want(t, examine(t, server.Addr(), onTLS(ca.TLS())), "problem tls.client_certificate_missing", "warning tls.expires_soon")
		files := stranger.Client(t, "client")
		own, err := tls.LoadX509KeyPair(files.CertFile, files.KeyFile)
		if err != nil {
			t.Fatal(err)
		}
		cfg := ca.TLS()
		cfg.Certificates = []tls.Certificate{own}
		want(t, examine(t, server.Addr(), onTLS(cfg)), "problem tls.client_certificate_refused", "warning tls.expires_soon")
	})
}

func TestTLSWhereThereIsNone(t *testing.T) {
	t.Parallel()
	server := testkit.StartEtcd(t)
	want(t, examine(t, "https://"+server.Addr()), "problem tls.not_spoken")
}

// Certificates and passwords in files count as if they were given by value.
func TestFiles(t *testing.T) {
	t.Parallel()
	ca := testkit.NewCA(t)
	server := testkit.StartEtcd(t, testkit.WithTLS(ca), testkit.WithClientCerts())
	server.EnableAuth(t, "user", "secret")
	own := ca.Client(t, "user")
	password := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(password, []byte("secret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	files := func(c *etcd.Config) {
		c.Username, c.PasswordFile = "user", password
		c.TLSFiles.CA, c.TLSFiles.Cert, c.TLSFiles.Key = ca.File, own.CertFile, own.KeyFile
	}
	want(t, examine(t, server.Addr(), files), "warning tls.expires_soon")
	ended := time.Now().Add(-time.Minute)
	ca.Issue(t, testkit.Subject{Name: "user", Until: ended}).Replace(t, own)
	all := examine(t, server.Addr(), files)
	want(t, all, "warning tls.expires_soon", "problem tls.client_certificate_expired")
	says(t, all, "tls.client_certificate_expired", "the certificate shown ended at "+ended.UTC().Format(time.RFC3339))
	if err := os.Remove(password); err != nil {
		t.Fatal(err)
	}
	want(t, examine(t, server.Addr(), files), "problem files.unusable")
}

func TestUsers(t *testing.T) {
	t.Parallel()
	testkit.EachKind(t, func(t *testing.T, kind testkit.Kind) {
		server := testkit.StartEtcd(t, testkit.OfKind(kind))
		want(t, examine(t, server.Addr(), login("user", "secret")), "warning auth.off")
		server.EnableAuth(t, "user", "secret")
		all := examine(t, server.Addr(), login("user", "secret"))
		want(t, all)
		if kind == testkit.Debian {
			says(t, all, "version.rights_flaw", "3.4.23", "GHSA-rfx7-8w68-q57q", "upgrade to 3.4.42 or later")
		}
		want(t, examine(t, server.Addr(), login(testkit.Root, testkit.Root)))
		want(t, examine(t, server.Addr(), login("user", "guess")), "problem auth.refused")
		want(t, examine(t, server.Addr()), "problem auth.required")

		// A user who may do less.
		root := server.Client(t)
		read := func(role, from, end string) {
			if _, err := root.RoleGrantPermission(t.Context(), role, from, end, clientv3.PermissionType(clientv3.PermRead)); err != nil {
				t.Fatal(err)
			}
		}
		for _, err := range []error{
			func() error { _, err := root.RoleAdd(t.Context(), "reader"); return err }(),
			func() error { _, err := root.UserAdd(t.Context(), "guest", "secret"); return err }(),
			func() error { _, err := root.UserGrantRole(t.Context(), "guest", "reader"); return err }(),
		} {
			if err != nil {
				t.Fatal(err)
			}
		}
		guest := login("guest", "secret")
		all = examine(t, server.Addr(), guest)
		want(t, all, "problem auth.no_read", "problem auth.no_write", "warning auth.no_pause", "problem registry.denied")
		says(t, all, "auth.no_read", "etcdctl role grant-permission --prefix reader readwrite /micro/registry/")
		// Who may read two services is shown those.
		read("reader", "/micro/registry/shop/", "/micro/registry/shop0")
		read("reader", "/micro/registry/user/user-1", "")
		for _, key := range []string{"shop/shop-1", "shop/shop-2", "user/user-1", "user/user-2"} {
			service, id, _ := strings.Cut(key, "/")
			if _, err := root.Put(t.Context(), "/micro/registry/"+key, fmt.Sprintf(`{"name":%q,"nodes":[{"id":%q,"address":%q}]}`, service, id, listen(t))); err != nil {
				t.Fatal(err)
			}
		}
		all = examine(t, server.Addr(), guest)
		want(t, all, "warning auth.no_read", "problem auth.no_write", "warning auth.no_pause", "warning node.no_lease", "warning node.no_lease", "warning node.no_lease")
		says(t, all, "auth.no_read", "under /micro/registry/shop/, /micro/registry/user/user-1 only")
		says(t, all, "registry.read", "3 nodes of 2 services")
		says(t, all, "node.no_lease", "shop/shop-1")
		if _, err := root.Delete(t.Context(), "/micro/registry/", clientv3.WithPrefix()); err != nil {
			t.Fatal(err)
		}
		read("reader", "/micro/registry/", "/micro/registry0")
		want(t, examine(t, server.Addr(), guest), "problem auth.no_write", "warning auth.no_pause")
	})
}

// TestOpenEtcd shows that an etcd that others reach and that asks nobody who
// they are is told, also when no user is given.
func TestOpenEtcd(t *testing.T) {
	t.Parallel()
	loopback := testkit.StartEtcd(t)
	all := examine(t, loopback.Addr())
	want(t, all)
	says(t, all, "auth.off", "its own host alone")

	var r report
	r.unguarded(&visit{addr: "10.0.0.1:2379"}, true)
	want(t, r, "warning auth.off")
	says(t, r, "auth.off", "whoever reaches it can change what is registered", "etcdctl auth enable")
	for url, want := range map[string]bool{"http://127.0.0.1:2379": false, "http://localhost:2379": false, "http://[::1]:2379": false, "http://10.0.0.1:2379": true, "http://0.0.0.0:2379": true, "http://etcd:2379": true, "unix://x": false} {
		if public(url) != want {
			t.Errorf("public(%q) is not %v", url, want)
		}
	}
}

package etcd

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/rollcall-go/micro/internal/reload"
	"github.com/rollcall-go/micro/internal/testkit"
)

// front is a TLS server before an etcd that speaks none, at an address of its own.
type front struct {
	addr string

	mu    sync.Mutex
	conns []net.Conn
}

// startFront serves the etcd at addr over TLS until the end of the test.
func startFront(t *testing.T, addr string, config *tls.Config) *front {
	t.Helper()
	config.NextProtos, config.MinVersion = []string{"h2"}, tls.VersionTLS12
	l, err := tls.Listen("tcp", "127.0.0.1:0", config)
	if err != nil {
		t.Fatal(err)
	}
	f := &front{addr: l.Addr().String()}
	f.serve(t, l, addr)
	return f
}

// serve carries what comes to l to addr until the end of the test.
func (f *front) serve(t *testing.T, l net.Listener, addr string) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	t.Cleanup(func() {
		cancel()
		if err := l.Close(); err != nil {
			t.Error(err)
		}
		f.cut()
		wg.Wait()
	})
	wg.Go(func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			f.keep(in)
			wg.Go(func() {
				defer in.Close()
				if secure, ok := in.(*tls.Conn); ok && secure.HandshakeContext(ctx) != nil {
					return
				}
				out, err := new(net.Dialer).DialContext(ctx, "tcp", addr)
				if err != nil {
					return
				}
				f.keep(out)
				wg.Go(func() { defer in.Close(); _, _ = io.Copy(in, out) })
				defer out.Close()
				_, _ = io.Copy(out, in)
			})
		}
	})
}

func (f *front) keep(c net.Conn) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.conns = append(f.conns, c)
}

// cut closes all connections.
func (f *front) cut() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, c := range f.conns {
		_ = c.Close() // many are closed already
	}
	f.conns = nil
}

// The name in the program's settings is the one that a certificate must have,
// whatever the addresses are; without one it is the address.
func TestServerName(t *testing.T) {
	t.Parallel()
	ca := testkit.NewCA(t)
	e := testkit.StartEtcd(t)
	named := testkit.Subject{Name: "etcd", Hosts: []string{"etcd1.example"}}
	var addrs []string
	for range 3 {
		addrs = append(addrs, startFront(t, e.Addr(), &tls.Config{Certificates: []tls.Certificate{ca.Issue(t, named).Load(t)}}).addr)
	}
	_, port, err := net.SplitHostPort(addrs[0])
	if err != nil {
		t.Fatal(err)
	}
	for what, tt := range map[string]struct {
		addrs []string
		name  string
		want  string // in the error, "" for none
	}{
		"an IP":                {addrs[:1], "etcd1.example", ""},
		"three IPs":            {addrs, "etcd1.example", ""},
		"a name":               {[]string{"localhost:" + port}, "etcd1.example", ""},
		"a URL":                {[]string{"https://" + addrs[0]}, "etcd1.example", ""},
		"an IP, no name":       {addrs[:1], "", "127.0.0.1"},
		"a name, no name":      {[]string{"localhost:" + port}, "", "localhost"},
		"an IP, another name":  {addrs[:1], "etcd2.example", "etcd2.example"},
		"three, another name":  {addrs, "etcd2.example", "etcd2.example"},
		"a name, another name": {[]string{"localhost:" + port}, "127.0.0.1", "127.0.0.1"},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			config := ca.TLS()
			config.ServerName = tt.name
			c := open(t, Config{Addrs: tt.addrs, TLS: config, Timeout: time.Second})
			if tt.want != "" {
				wantRefusal(t, c, "TLS handshake", "x509", tt.want)
				return
			}
			testkit.Eventually(t, soon, "etcd answers", func() bool { return get(t, c) == nil })
		})
	}
}

// Certificates are replaced on disk before they end. What is connected stays so; the
// next connection goes by the new ones, and what the old ones are refused for is told.
func TestRenewedCertificates(t *testing.T) {
	t.Parallel()
	ca, next := testkit.NewCA(t), testkit.NewCA(t)
	e := testkit.StartEtcd(t)
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(content(t, ca.File))
	f := startFront(t, e.Addr(), &tls.Config{
		Certificates: []tls.Certificate{ca.Server(t).Load(t)},
		ClientAuth:   tls.RequireAndVerifyClientCert, ClientCAs: pool,
	})
	ended := time.Now().Add(-time.Minute)
	files := ca.Issue(t, testkit.Subject{Name: "svc", Until: ended})
	c := open(t, Config{Addrs: []string{f.addr}, TLSFiles: reload.Files{CA: ca.File, Cert: files.CertFile, Key: files.KeyFile}, Timeout: time.Second})
	wantRefusal(t, c, "the certificate shown ended at "+ended.UTC().Format(time.RFC3339))

	ca.Client(t, "svc").Replace(t, files)
	testkit.Eventually(t, soon, "the new certificate is shown", func() bool { return get(t, c) == nil })

	// Authorities are replaced as well.
	write(t, ca.File, string(content(t, next.File)))
	if err := get(t, c); err != nil {
		t.Errorf("what is connected: %v", err)
	}
	f.cut()
	wantRefusal(t, c, "certificate signed by unknown authority")
}

func TestClientCertificateIsNamed(t *testing.T) {
	t.Parallel()
	ca, other := testkit.NewCA(t), testkit.NewCA(t)
	e := testkit.StartEtcd(t)
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(content(t, ca.File))
	soonValid := time.Now().Add(time.Hour)
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		f := startFront(t, e.Addr(), &tls.Config{
			Certificates: []tls.Certificate{ca.Server(t).Load(t)}, MaxVersion: version,
			ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: pool,
		})
		for want, own := range map[string][]tls.Certificate{
			"it wants a client certificate, and none is given":                      nil,
			"it wants a client certificate of another authority than the one given": {other.Client(t, "svc").Load(t)},
			"the certificate shown begins only at":                                  {ca.Issue(t, testkit.Subject{Name: "svc", From: soonValid}).Load(t)},
		} {
			config := ca.TLS()
			config.Certificates = own
			wantRefusal(t, open(t, Config{Addrs: []string{f.addr}, TLS: config, Timeout: time.Second}), want, f.addr)
		}
	}
}

// A server that shows a certificate of another authority has not looked at ours.
func TestServersFaultIsNotOurs(t *testing.T) {
	t.Parallel()
	ca, other := testkit.NewCA(t), testkit.NewCA(t)
	e := testkit.StartEtcd(t, testkit.WithTLS(ca), testkit.WithClientCerts())
	config := other.TLS()
	c := open(t, Config{Addrs: []string{e.Addr()}, TLS: config, Timeout: time.Second})
	if err := wantRefusal(t, c, "unknown authority"); err != nil {
		wantNoText(t, err, "client certificate", "certificate shown")
	}
}

func TestPasswordFile(t *testing.T) {
	t.Parallel()
	e := testkit.StartEtcd(t)
	e.EnableAuth(t, "svc", "right")
	path := filepath.Join(t.TempDir(), "password")
	c := open(t, Config{Addrs: []string{e.Addr()}, Username: "svc", PasswordFile: path, Timeout: 3 * time.Second})
	wantText(t, get(t, c), path)
	write(t, path, "wrong\n")
	wantText(t, get(t, c), "authentication failed")
	write(t, path, "right\n")
	testkit.Eventually(t, soon, "the password in the file is accepted", func() bool { return get(t, c) == nil })
	write(t, path, "next\n")
	e.SetPassword(t, "svc", "next")
	e.Restart(t)
	testkit.Eventually(t, soon, "the new password in the file is accepted", func() bool { return get(t, c) == nil })
}

func content(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

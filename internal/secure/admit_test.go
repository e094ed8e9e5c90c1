package secure

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-go/micro/internal/reload"
	"github.com/rollcall-go/micro/internal/testkit"
)

// TestNobodyIsNotACaller shows that where callers are told apart, one without a certificate
// that was verified is let in by nothing that a program's own settings say.
func TestNobodyIsNotACaller(t *testing.T) {
	ca, stranger := testkit.NewCA(t), testkit.NewCA(t)
	pool := x509.NewCertPool()
	if text, err := os.ReadFile(ca.File); err != nil || !pool.AppendCertsFromPEM(text) {
		t.Fatal(err)
	}
	own := func(auth tls.ClientAuthType) *tls.Config {
		return &tls.Config{Certificates: []tls.Certificate{ca.Server(t).Load(t)}, ClientCAs: pool, ClientAuth: auth}
	}
	chooses := func(auth tls.ClientAuthType) *tls.Config {
		c, chosen := own(tls.RequireAndVerifyClientCert), own(auth)
		chosen.ClientCAs = nil // the caller would keep back what is not of these
		c.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) { return chosen, nil }
		return c
	}
	none := reload.Files{CA: ca.File}
	foreign := stranger.Issue(t, testkit.Subject{Name: "web", Hosts: []string{"web"}})
	shows := none
	shows.Cert, shows.Key = foreign.CertFile, foreign.KeyFile
	for name, tc := range map[string]struct {
		server Server
		client reload.Files
	}{
		"asked, and shows none":                   {Server{Config: own(tls.VerifyClientCertIfGiven)}, none},
		"chosen settings ask for none":            {Server{Config: chooses(tls.NoClientCert)}, none},
		"chosen settings verify none":             {Server{Config: chooses(tls.RequireAnyClientCert)}, shows},
		"files demand one, chosen settings none":  {Server{Config: chooses(tls.NoClientCert), Files: reload.Files{CA: ca.File}}, none},
		"files demand one, chosen settings other": {Server{Config: chooses(tls.RequireAnyClientCert), Files: reload.Files{CA: ca.File}}, shows},
	} {
		t.Run(name, func(t *testing.T) {
			for _, allow := range [][]string{{"*"}, nil} {
				tc.server.Allow = allow
				if allow == nil && tc.server.Files.CA == "" {
					continue // the program's own settings let everybody in
				}
				d := open(t, tc.server)
				raw, err := net.Dial("tcp", d.address)
				if err != nil {
					t.Fatal(err)
				}
				defer raw.Close()
				_ = raw.SetDeadline(time.Now().Add(bound))
				dialer := NewDialer(Client{Files: tc.client}, nil)
				if conn, _, err := dialer.Credentials(Node{Host: d.address, TLS: true}).ClientHandshake(t.Context(), "", raw); err == nil {
					go func() { _, _ = io.Copy(io.Discard, conn) }()
				}
				a := <-d.arrived
				if a.err == nil && a.why == nil {
					t.Errorf("it was let in: %+v", a.info)
				}
				if tc.server.Files.CA == "" && !errors.Is(a.why, ErrNotAllowed) {
					t.Errorf("the reason: %v, %v", a.err, a.why)
				}
			}
		})
	}
}

// TestNamesAreNotURIs shows that a certificate's DNS name is never taken for a URI, and
// that a service without a name is nobody's.
func TestNamesAreNotURIs(t *testing.T) {
	s := Server{Allow: []string{"spiffe://example.org/*", "web"}}
	for _, tc := range []struct {
		names []string
		want  bool
	}{
		{[]string{"spiffe://example.org/web"}, false}, {[]string{"other", "web"}, true}, {nil, false},
	} {
		if got := s.allowed(&x509.Certificate{DNSNames: tc.names}); got != tc.want {
			t.Errorf("%q: %v", tc.names, got)
		}
	}
	ca := testkit.NewCA(t)
	root := ca.Issue(t, testkit.Subject{Name: "root", Hosts: []string{}, URIs: []string{"spiffe://example.org/"}})
	d := open(t, Server{Files: reload.Files{Cert: root.CertFile, Key: root.KeyFile}})
	err := d.dial(t, Client{Files: reload.Files{CA: ca.File}, Identity: "spiffe://example.org/{service}"}, "")
	if err == nil || !strings.Contains(err.Error(), "--client_tls_identity") {
		t.Errorf("a service without a name: %v", err)
	}
}

// TestWhatIsGivenGoesBeforeTheProgramsOwn shows that a program's tls.Config takes nothing
// away from what files and names say.
func TestWhatIsGivenGoesBeforeTheProgramsOwn(t *testing.T) {
	ca, later := testkit.NewCA(t), testkit.NewCA(t)
	host := ca.Server(t)
	skips := &tls.Config{InsecureSkipVerify: true}
	serve := Server{Config: &tls.Config{Certificates: []tls.Certificate{host.Load(t)}}}
	for name, c := range map[string]Client{
		"an authority": {Config: skips, Files: reload.Files{CA: later.File}},
		"a name":       {Config: skips, ServerName: "localhost"},
		"hosts":        {Config: skips, Identity: ByHost},
	} {
		if err := open(t, serve).dial(t, c, "shop"); err == nil {
			t.Errorf("%s: any certificate will do", name)
		}
	}

	// A session that began under an authority does not outlive it.
	file := t.TempDir() + "/ca.pem"
	put := func(from string) {
		text, err := os.ReadFile(from)
		if err == nil {
			err = os.WriteFile(file, text, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	put(ca.File)
	c := Client{Config: &tls.Config{ClientSessionCache: tls.NewLRUClientSessionCache(10)}, Files: reload.Files{CA: file}}
	d := open(t, serve)
	for range 2 {
		if err := d.dial(t, c, "shop"); err != nil {
			t.Fatal(err)
		}
	}
	put(later.File)
	if err := d.dial(t, c, "shop"); err == nil || !strings.Contains(err.Error(), "--client_tls_ca") {
		t.Errorf("an authority that is trusted no more: %v", err)
	}
}

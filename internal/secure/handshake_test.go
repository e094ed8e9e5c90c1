package secure

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc/credentials"

	"github.com/rollcall-go/micro/internal/reload"
	"github.com/rollcall-go/micro/internal/testkit"
)

// bound is how long a handshake may take on a loaded machine.
const bound = 20 * time.Second

// door is an acceptor behind a listener, with what it told.
type door struct {
	address string
	arrived chan arrival

	mu    sync.Mutex // guards what follows
	warns []string
	plain int
}

// arrival is what became of one connection.
type arrival struct {
	conn net.Conn
	info credentials.AuthInfo
	err  error // of a handshake that failed
	why  error // it was turned away
}

// open starts a door, which the test ends.
func open(t *testing.T, s Server) *door {
	t.Helper()
	if err := s.Check(); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	d := &door{address: l.Addr().String(), arrived: make(chan arrival, 100)}
	a := NewAcceptor(s, Told{
		Warn:      func(text string) { d.mu.Lock(); defer d.mu.Unlock(); d.warns = append(d.warns, text) },
		Plaintext: func(net.Conn) { d.mu.Lock(); defer d.mu.Unlock(); d.plain++ },
		Failed:    func(_ net.Conn, err error) { d.arrived <- arrival{err: err} },
		Turned:    func(c net.Conn, why error) { d.arrived <- arrival{conn: c, why: why} },
	})
	var wg sync.WaitGroup
	var mu sync.Mutex
	var open []net.Conn
	wg.Go(func() {
		for {
			raw, err := l.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			open = append(open, raw)
			mu.Unlock()
			wg.Go(func() {
				_ = raw.SetDeadline(time.Now().Add(bound)) // as grpc does
				conn, info, err := a.Credentials().ServerHandshake(raw)
				if err == nil {
					d.arrived <- arrival{conn: conn, info: info}
				} else if !errors.Is(err, credentials.ErrConnDispatched) {
					_ = raw.Close()
				}
			})
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		mu.Lock()
		for _, c := range open {
			_ = c.Close()
		}
		mu.Unlock()
		wg.Wait()
	})
	return d
}

// dial makes a client's handshake with the door and reads one byte, for what a server
// says of a certificate comes after the handshake.
func (d *door) dial(t *testing.T, c Client, service string) error {
	t.Helper()
	raw, err := net.Dial("tcp", d.address)
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	_ = raw.SetDeadline(time.Now().Add(bound))
	dialer, n := NewDialer(c, nil), Node{Host: d.address, Service: service, TLS: true}
	conn, _, err := dialer.Credentials(n).ClientHandshake(t.Context(), d.address, raw)
	if err != nil {
		return err
	}
	done := make(chan struct{})
	go func() { // the server's side of a handshake that went well
		defer close(done)
		if a := <-d.arrived; a.conn != nil {
			_, _ = a.conn.Write([]byte{0})
		}
	}()
	_, err = io.ReadFull(conn, make([]byte, 1))
	<-done
	if err != nil {
		return dialer.Ended(n, err, nil)
	}
	return nil
}

func files(ca *testkit.CA, c testkit.Certificate) reload.Files {
	return reload.Files{CA: ca.File, Cert: c.CertFile, Key: c.KeyFile}
}

// TestHandshakes shows whom a client takes for a node and a server for a caller, and that
// each refusal says what it goes by and what to do.
func TestHandshakes(t *testing.T) {
	ca, stranger := testkit.NewCA(t), testkit.NewCA(t)
	issue := func(s testkit.Subject) testkit.Certificate { return ca.Issue(t, s) }
	host := ca.Server(t)
	shop := issue(testkit.Subject{Name: "shop", Hosts: []string{"shop", "go.micro.service.shop"}})
	spiffe := issue(testkit.Subject{Name: "spiffe", Hosts: []string{}, URIs: []string{"spiffe://example.org/shop"}})
	twoURIs := issue(testkit.Subject{Name: "two", Hosts: []string{}, URIs: []string{"spiffe://example.org/shop", "spiffe://example.org/bank"}})
	expired := issue(testkit.Subject{Name: "expired", From: time.Now().Add(-2 * time.Hour), Until: time.Now().Add(-time.Hour)})
	foreign := stranger.Client(t, "foreign")
	caller := ca.Client(t, "caller")
	trust := reload.Files{CA: ca.File}
	const uri = "spiffe://example.org/{service}"

	for name, tc := range map[string]struct {
		server  Server
		client  Client
		service string
		want    []string // in the error; none if there is to be none
	}{
		"by host":                {Server{Files: files(ca, host)}, Client{Files: trust}, "shop", nil},
		"by server name":         {Server{Files: files(ca, shop)}, Client{Files: files(ca, caller), ServerName: "shop"}, "bank", nil},
		"by service":             {Server{Files: files(ca, shop)}, Client{Files: files(ca, caller), Identity: ByService}, "go.micro.service.shop", nil},
		"by URI":                 {Server{Files: files(ca, spiffe)}, Client{Files: files(ca, caller), Identity: uri}, "shop", nil},
		"wrong host":             {Server{Files: files(ca, shop)}, Client{Files: files(ca, caller)}, "shop", []string{`"shop"`, `"127.0.0.1"`, "--client_tls_server_name", "--client_tls_identity=service"}},
		"wrong service":          {Server{Files: files(ca, shop)}, Client{Files: files(ca, caller), Identity: ByService}, "bank", []string{`"shop"`, `not for "bank"`, "--client_tls_identity"}},
		"no service":             {Server{Files: files(ca, shop)}, Client{Files: files(ca, caller), Identity: ByService}, "", []string{"--client_tls_identity"}},
		"wrong URI":              {Server{Files: files(ca, spiffe)}, Client{Files: files(ca, caller), Identity: uri}, "bank", []string{"spiffe://example.org/shop", "spiffe://example.org/bank"}},
		"two URIs":               {Server{Files: files(ca, twoURIs)}, Client{Files: files(ca, caller), Identity: uri}, "shop", []string{"spiffe://example.org/bank"}},
		"a path that leads out":  {Server{Files: files(ca, spiffe)}, Client{Files: files(ca, caller), Identity: "spiffe://example.org/x/{service}"}, "../shop", []string{"not for"}},
		"wrong authority":        {Server{Files: files(ca, host)}, Client{Files: reload.Files{CA: stranger.File}}, "shop", []string{stranger.File, "--client_tls_ca", "unknown authority"}},
		"by service, wrong too":  {Server{Files: files(ca, shop)}, Client{Files: reload.Files{CA: stranger.File}, Identity: ByService}, "shop", []string{stranger.File, "--client_tls_ca"}},
		"the system's":           {Server{Files: files(ca, host)}, Client{Require: true}, "shop", []string{"--client_tls_ca"}},
		"expired":                {Server{Files: files(ca, expired)}, Client{Files: files(ca, caller)}, "shop", []string{"it is valid from", "renew", "--server_tls_cert"}},
		"by service, expired":    {Server{Files: files(ca, expired)}, Client{Files: files(ca, caller), Identity: ByService}, "localhost", []string{"it is valid from", "renew"}},
		"no client certificate":  {Server{Files: files(ca, host)}, Client{Files: reload.Files{CA: ca.File}}, "shop", []string{"none was shown", "--client_tls_cert"}},
		"whom the server knows":  {Server{Files: files(ca, host)}, Client{Files: files(ca, caller)}, "shop", nil},
		"whom it does not":       {Server{Files: files(ca, host)}, Client{Files: files(ca, foreign)}, "shop", []string{foreign.CertFile, "of another authority", "--server_tls_client_ca"}},
		"whom it knew":           {Server{Files: files(ca, host)}, Client{Files: files(ca, expired)}, "shop", []string{expired.CertFile, "out of date"}},
		"skips, but by service":  {Server{Files: files(ca, shop)}, Client{Config: &tls.Config{InsecureSkipVerify: true}, Files: files(ca, caller), Identity: ByService}, "bank", []string{`not for "bank"`}},
		"a file that went away":  {Server{Files: files(ca, host)}, Client{Files: reload.Files{CA: filepath.Join(t.TempDir(), "gone.pem")}}, "shop", []string{"gone.pem", "no such file"}},
		"without ALPN, as in v2": {Server{Config: &tls.Config{Certificates: []tls.Certificate{host.Load(t)}}}, Client{Files: trust}, "shop", nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if name == "by host" || name == "the system's" {
				tc.server.Files.CA = ""
			}
			err := open(t, tc.server).dial(t, tc.client, tc.service)
			if len(tc.want) == 0 {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			if err == nil {
				t.Fatal("there was no error")
			}
			for _, want := range tc.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%v\nlacks %q", err, want)
				}
			}
		})
	}
}

// TestTheReasonIsNotLost speaks before it reads, as clients of HTTP/2 do, to a server that
// has refused already: what it says does not take away why.
func TestTheReasonIsNotLost(t *testing.T) {
	ca := testkit.NewCA(t)
	d := open(t, Server{Files: files(ca, ca.Server(t))})
	raw, err := net.Dial("tcp", d.address)
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	dialer, n := NewDialer(Client{Files: reload.Files{CA: ca.File}}, nil), Node{Host: d.address, TLS: true}
	conn, _, err := dialer.Credentials(n).ClientHandshake(t.Context(), d.address, raw)
	if err != nil {
		t.Fatal(err)
	}
	if a := <-d.arrived; a.err == nil {
		t.Fatal("a caller without a certificate was let in")
	}
	for range 10 {
		if _, err := io.WriteString(conn, preface); err != nil {
			t.Fatalf("speak to a server that refuses: %v", err)
		}
	}
	_, err = conn.Read(make([]byte, 1))
	if err = dialer.Ended(n, err, nil); err == nil || !strings.Contains(err.Error(), "none was shown") {
		t.Errorf("the reason is lost: %v", err)
	}
}

// TestTheFirstByteDecides sends every first byte there is, each by itself, and what
// follows one by one.
func TestTheFirstByteDecides(t *testing.T) {
	host := testkit.NewCA(t).Server(t)
	for _, both := range []bool{false, true} {
		d := open(t, Server{Files: reload.Files{Cert: host.CertFile, Key: host.KeyFile}, Plaintext: both})
		raw, err := net.Dial("tcp", d.address)
		if err != nil {
			t.Fatal(err)
		}
		defer raw.Close()
		for _, b := range []byte(preface) {
			if _, err := raw.Write([]byte{b}); err != nil {
				t.Fatal(err)
			}
		}
		a := <-d.arrived
		switch {
		case both && (a.conn == nil || a.info.AuthType() != "insecure"):
			t.Errorf("plaintext that may be: %+v", a)
		case !both && !errors.Is(a.why, ErrPlaintext):
			t.Errorf("plaintext that may not be: %+v", a)
		}
		got := make([]byte, len(preface))
		if _, err := io.ReadFull(a.conn, got); err != nil || string(got) != preface {
			t.Errorf("the server reads %q, %v", got, err)
		}
		for b := range 256 {
			if b == int(preface[0]) {
				continue
			}
			func() {
				raw, err := net.Dial("tcp", d.address)
				if err != nil {
					t.Fatal(err)
				}
				defer raw.Close()
				if _, err := raw.Write([]byte{byte(b), 'x', 'x', 'x', 'x', 'x'}); err != nil {
					t.Fatal(err)
				}
				_ = raw.(*net.TCPConn).CloseWrite()
				if a := <-d.arrived; a.err == nil {
					t.Errorf("both %v: %#x was let in: %+v", both, b, a)
				}
			}()
		}
	}
}

// TestNobodyWaitsForTheSilent lets a crowd connect and say nothing, or half of something.
func TestNobodyWaitsForTheSilent(t *testing.T) {
	ca := testkit.NewCA(t)
	host := ca.Server(t)
	d := open(t, Server{Files: reload.Files{Cert: host.CertFile, Key: host.KeyFile}})
	for i := range 100 {
		raw, err := net.Dial("tcp", d.address)
		if err != nil {
			t.Fatal(err)
		}
		defer raw.Close()
		if _, err := raw.Write([]byte("\x16\x03\x01\x02\x00\x01")[:i%7]); err != nil {
			t.Fatal(err)
		}
	}
	if err := d.dial(t, Client{Files: reload.Files{CA: ca.File}}, ""); err != nil {
		t.Error(err)
	}
}

// TestRenewedFiles shows that the next handshake goes by what is in the files, and that
// files that are broken are said once and passed over.
func TestRenewedFiles(t *testing.T) {
	ca := testkit.NewCA(t)
	in := ca.Issue(t, testkit.Subject{Name: "old", Until: time.Now().Add(-time.Minute)})
	d := open(t, Server{Files: reload.Files{Cert: in.CertFile, Key: in.KeyFile}})
	client := Client{Files: reload.Files{CA: ca.File}}
	if err := d.dial(t, client, ""); err == nil || !strings.Contains(err.Error(), "it is valid from") {
		t.Fatalf("a certificate that ended: %v", err)
	}
	<-d.arrived // the server's side of that
	ca.Server(t).Replace(t, in)
	if err := d.dial(t, client, ""); err != nil {
		t.Fatalf("the renewed one: %v", err)
	}
	if err := os.WriteFile(in.CertFile, []byte("half of"), 0o600); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if err := d.dial(t, client, ""); err != nil {
			t.Fatalf("with a broken file: %v", err)
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.warns) != 1 || !strings.Contains(d.warns[0], in.CertFile) || !strings.Contains(d.warns[0], "keep what was there before") {
		t.Errorf("warned %q", d.warns)
	}
}

// TestAllowedCallers shows by whom a server lets itself be called.
func TestAllowedCallers(t *testing.T) {
	ca := testkit.NewCA(t)
	host := ca.Server(t)
	web := ca.Issue(t, testkit.Subject{Name: "web", Hosts: []string{"web"}, URIs: []string{"spiffe://example.org/web"}})
	for allow, want := range map[string]bool{
		"web": true, "spiffe://example.org/web": true, "spiffe://example.org/*": true, "*": true,
		"we": false, "web2": false, "spiffe://example.org": false, "spiffe://example.com/*": false,
	} {
		d := open(t, Server{Files: files(ca, host), Allow: []string{"nobody", allow}})
		raw, err := net.Dial("tcp", d.address)
		if err != nil {
			t.Fatal(err)
		}
		defer raw.Close()
		dialer := NewDialer(Client{Files: files(ca, web)}, nil)
		if _, _, err := dialer.Credentials(Node{Host: d.address, TLS: true}).ClientHandshake(t.Context(), "", raw); err != nil {
			t.Fatal(err)
		}
		a := <-d.arrived
		if got := a.why == nil; got != want {
			t.Errorf("%s: %v", allow, a.why)
		}
		if a.why != nil && (!errors.Is(a.why, ErrNotAllowed) || !strings.Contains(a.why.Error(), `"spiffe://example.org/web", "web"`) || !strings.Contains(a.why.Error(), "--server_tls_allow")) {
			t.Errorf("%s: %v", allow, a.why)
		}
	}
}

// TestDecide shows what makes a connection a secured one.
func TestDecide(t *testing.T) {
	given := Client{Files: reload.Files{CA: "ca.pem"}}
	prefer := given
	prefer.Prefer = true
	for _, tc := range []struct {
		client   Client
		demanded bool
		says     string
		want     bool
		err      bool
	}{
		{Client{}, false, "", false, false},
		{Client{}, true, "", true, false},
		{Client{}, false, "both", false, false},
		{Client{}, false, "only", false, true},
		{Client{}, false, "whatever", false, true},
		{given, false, "", true, false},
		{given, false, "both", true, false},
		{prefer, false, "", false, false},
		{prefer, false, "both", true, false},
		{prefer, false, "only", true, false},
		{prefer, true, "", true, false},
		{Client{Prefer: true}, false, "", false, false},
		{Client{Require: true}, false, "", true, false},
	} {
		if got, err := tc.client.Decide(tc.demanded, tc.says); got != tc.want || (err != nil) != tc.err {
			t.Errorf("%+v: got %v, %v", tc, got, err)
		}
	}
}

// FuzzFirstBytes sends what it likes: the acceptor comes to an end with it, and lets none
// in by TLS.
func FuzzFirstBytes(f *testing.F) {
	ca := testkit.NewCA(f)
	host := ca.Server(f)
	a := NewAcceptor(Server{Files: reload.Files{Cert: host.CertFile, Key: host.KeyFile}}, Told{
		Warn: func(string) {}, Plaintext: func(net.Conn) {}, Failed: func(net.Conn, error) {}, Turned: func(c net.Conn, _ error) { _ = c.Close() },
	})
	f.Add([]byte(preface + "\r\n\r\nSM\r\n\r\n"))
	f.Add([]byte("\x16\x03\x01\x00\x05\x01\x00\x00\x01\x03"))
	f.Add([]byte("GET / HTTP/1.1\r\n\r\n"))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, sent []byte) {
		ours, theirs := net.Pipe()
		done := make(chan error, 1)
		go func() {
			_, _, err := a.Credentials().ServerHandshake(theirs)
			_ = theirs.Close()
			done <- err
		}()
		read := make(chan struct{})
		go func() { defer close(read); _, _ = io.Copy(io.Discard, ours) }()
		_, _ = ours.Write(sent)
		_ = ours.Close()
		if err := <-done; err == nil {
			t.Errorf("%q was let in", sent)
		}
		<-read
	})
}

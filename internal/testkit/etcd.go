package testkit

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// Kind is an etcd release line that tests run against.
type Kind string

// The kinds of etcd.
const (
	// Ours is the etcd inside `micro server`.
	Ours Kind = "ours-3.7"
	// Debian is Debian's etcd-server, an old release that is still deployed. A
	// test that asks for it is skipped by Require where it is not installed.
	Debian Kind = "debian-3.4"
	// Old is 3.3.11, the etcd of go-micro v2's time, made from its source in
	// tools/etcd-3.3. A test that asks for it is skipped by Require where it cannot be
	// built.
	Old Kind = "old-3.3"
)

// Kinds lists all of them.
var Kinds = []Kind{Ours, Debian, Old}

// upstream reports whether the kind takes the flags of etcd itself.
func (k Kind) upstream() bool { return k != Ours }

// EachKind runs f as one subtest for each kind of etcd.
func EachKind(t *testing.T, f func(t *testing.T, kind Kind)) {
	t.Helper()
	for _, k := range Kinds {
		t.Run(string(k), func(t *testing.T) { f(t, k) })
	}
}

// EtcdOption changes what StartEtcd starts.
type EtcdOption func(*Etcd)

// OfKind chooses the kind; without it the etcd is Ours.
func OfKind(k Kind) EtcdOption { return func(e *Etcd) { e.kind = k } }

// WithTLS serves clients over TLS, with a certificate of ca for localhost,
// 127.0.0.1 and ::1.
func WithTLS(ca *CA) EtcdOption { return func(e *Etcd) { e.ca = ca } }

// WithClientCerts demands client certificates of the authority given to WithTLS.
func WithClientCerts() EtcdOption { return func(e *Etcd) { e.clientCerts = true } }

// Etcd is a real etcd in a process of its own, with a fixed address and data
// directory. The process is killed at the end of the test, and what it wrote is
// logged if the test failed. The methods belong to the test's goroutine, except
// Addr, which is safe from all of them.
type Etcd struct {
	kind        Kind
	binary      string
	addr        string
	dir         string
	ca          *CA
	clientCerts bool
	users       bool     // authentication is on
	extra       []string // arguments that options add
	member      *member  // nil unless it is one of several

	mu      sync.Mutex
	running *process
	output  output
}

// startAttempts bounds the search for an address that nobody takes between our
// look at it and the etcd's.
const startAttempts = 5

// StartEtcd starts an etcd and returns once it answers.
func StartEtcd(t testing.TB, opts ...EtcdOption) *Etcd {
	t.Helper()
	e := &Etcd{kind: Ours}
	for _, o := range opts {
		o(e)
	}
	e.binary = binaryOf(t, e.kind)
	e.dir = filepath.Join(t.TempDir(), "data")
	t.Cleanup(func() {
		e.Kill()
		if t.Failed() {
			t.Logf("output of etcd %s on %s:\n%s", e.kind, e.addr, e.output.String())
		}
	})
	for attempt := 1; ; attempt++ {
		e.addr = freeAddr(t)
		e.start(t)
		_, err := e.ready()
		if err == nil {
			return e
		}
		if attempt == startAttempts || e.process().alive() {
			t.Fatalf("start etcd %s on %s: %v\n%s", e.kind, e.addr, err, e.output.String())
		}
		e.Wipe()
	}
}

// Addr returns the host:port on which clients are served.
func (e *Etcd) Addr() string { return e.addr }

// URL returns Addr with http:// or https:// before it.
func (e *Etcd) URL() string {
	if e.ca != nil {
		return "https://" + e.addr
	}
	return "http://" + e.addr
}

// Kind returns the kind.
func (e *Etcd) Kind() Kind { return e.kind }

// Kill ends the process as a crash does, frozen or not, and waits until it is
// gone. A process that does not run is left alone.
func (e *Etcd) Kill() {
	if p := e.process(); p != nil {
		p.kill()
	}
}

// Stop ends the process as an operator does, and fails the test if it takes more
// than half a minute.
func (e *Etcd) Stop(t testing.TB) {
	t.Helper()
	p := e.process()
	if p == nil || !p.alive() {
		return
	}
	if err := p.terminate(); err != nil {
		t.Fatalf("stop etcd on %s: %v", e.addr, err)
	}
	if !p.waitFor(stopPatience) {
		p.kill()
		t.Fatalf("etcd on %s does not stop", e.addr)
	}
}

// Freeze stops the process without ending it: connections stay open and nothing
// is answered, until Thaw. It returns once that is so: threads that are running
// go on for a moment.
func (e *Etcd) Freeze(t testing.TB) {
	t.Helper()
	if err := e.process().freeze(); err != nil {
		t.Fatalf("freeze etcd on %s: %v", e.addr, err)
	}
	for e.answers(100 * time.Millisecond) {
	}
}

// answers reports whether a request is answered within d.
func (e *Etcd) answers(d time.Duration) bool {
	ctx, cancel := context.WithTimeout(context.Background(), d)
	defer cancel()
	return e.ask(ctx) == nil
}

// Thaw lets a frozen process go on.
func (e *Etcd) Thaw(t testing.TB) {
	t.Helper()
	if err := e.process().thaw(); err != nil {
		t.Fatalf("thaw etcd on %s: %v", e.addr, err)
	}
}

// Restart starts the etcd on the same address and data, after a Stop if it runs,
// and returns the moment at which it first answered.
func (e *Etcd) Restart(t testing.TB) time.Time {
	t.Helper()
	e.Stop(t)
	e.start(t)
	return e.WaitReady(t)
}

// RestartTLS is Restart with a certificate of another authority.
func (e *Etcd) RestartTLS(t testing.TB, ca *CA) time.Time {
	t.Helper()
	e.Stop(t)
	e.ca = ca
	e.start(t)
	return e.WaitReady(t)
}

// Wipe kills the process and removes its data. A Restart begins empty, without
// users.
func (e *Etcd) Wipe() {
	e.Kill()
	e.users = false
	// What is left behind makes the next start fail, which reports it.
	_ = os.RemoveAll(e.dir)
}

func (e *Etcd) process() *process {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.running
}

// start starts the process and does not wait for it.
func (e *Etcd) start(t testing.TB) {
	t.Helper()
	binary, args := e.binary, []string(nil)
	if e.member != nil {
		binary, args = e.member.command(e)
	} else {
		args = e.arguments(t)
	}
	p, err := startProcess(binary, args, &e.output)
	if err != nil {
		t.Fatalf("start etcd: %v", err)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.running = p
}

// arguments returns the command line. All kinds run on short ticks.
func (e *Etcd) arguments(t testing.TB) []string {
	t.Helper()
	var cert Certificate
	if e.ca != nil {
		cert = e.ca.Server(t)
	}
	if !e.kind.upstream() {
		args := []string{"server", "--unsafe_fast", "--data_dir", e.dir, "--address", e.addr}
		if e.ca != nil {
			args = append(args, "--tls_cert", cert.CertFile, "--tls_key", cert.KeyFile)
		}
		if e.clientCerts {
			args = append(args, "--tls_client_ca", e.ca.File)
		}
		return append(args, e.extra...)
	}
	// The only member dials no peer, so that address is a name and no more.
	const peer = "http://127.0.0.1:1"
	args := []string{
		"--name", "single", "--data-dir", e.dir,
		"--listen-client-urls", e.URL(), "--advertise-client-urls", e.URL(),
		"--listen-peer-urls", "http://127.0.0.1:0", "--initial-advertise-peer-urls", peer,
		"--initial-cluster", "single=" + peer,
		"--heartbeat-interval", "10", "--election-timeout", "100",
	}
	args = append(args, e.kind.quiet("warn")...)
	if e.ca != nil {
		args = append(args, "--cert-file", cert.CertFile, "--key-file", cert.KeyFile)
	}
	if e.clientCerts {
		args = append(args, "--client-cert-auth", "--trusted-ca-file", e.ca.File)
	}
	return append(args, e.extra...)
}

// quiet returns the flags that keep the log to what is at least of a level.
func (k Kind) quiet(level string) []string {
	if k == Old {
		return []string{"--log-package-levels", "*=" + map[string]string{"warn": "WARNING", "error": "ERROR"}[level]}
	}
	return []string{"--logger", "zap", "--log-level", level}
}

// freeAddr returns a loopback address that nobody listens on. Its port is below
// those from which the system takes the source of outgoing connections: a client
// that keeps dialling while the etcd is away would otherwise meet itself.
func freeAddr(t testing.TB) string {
	t.Helper()
	const low, ports = 12000, 20000
	for range 100 {
		addr := fmt.Sprintf("127.0.0.1:%d", low+rand.IntN(ports))
		l, err := net.Listen("tcp", addr)
		if err != nil {
			continue
		}
		if err := l.Close(); err != nil {
			t.Fatalf("find a free address: %v", err)
		}
		return addr
	}
	t.Fatal("find a free address: 100 in a row are taken")
	return ""
}

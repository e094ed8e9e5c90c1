package testkit

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// ConsulOption changes what StartConsul starts.
type ConsulOption func(*Consul)

// ConsulOnDisk makes the agent keep what it knows in its data directory, as it does
// in production: its services and checks, the catalogue and tokens. Without it all
// of that is lost with the process, and it starts two seconds faster.
func ConsulOnDisk() ConsulOption { return func(c *Consul) { c.onDisk = true } }

// ConsulTLS serves clients over TLS alone, with a certificate of ca for localhost,
// 127.0.0.1 and ::1.
func ConsulTLS(ca *CA) ConsulOption { return func(c *Consul) { c.ca = ca } }

// ConsulClientCerts demands client certificates of the authority given to ConsulTLS.
func ConsulClientCerts() ConsulOption { return func(c *Consul) { c.clientCerts = true } }

// ConsulACL lets nobody do anything without a token that grants it. Management is
// the token that may do everything; NewToken makes others.
func ConsulACL() ConsulOption { return func(c *Consul) { c.acl = true } }

// ConsulDatacenter gives the agent's datacenter a name other than dc1.
func ConsulDatacenter(name string) ConsulOption { return func(c *Consul) { c.datacenter = name } }

// Consul is a real Consul agent in a process of its own, with a fixed address and
// data directory. It is a server that leads itself, unless it is one of a
// ConsulCluster. The process is killed at the end of the test, and what it wrote is
// logged if the test failed. The methods belong to the test's goroutine, except
// Addr and URL, which are safe from all of them.
type Consul struct {
	binary      string
	node        string // its name among the nodes of the datacenter
	addr        string // host:port of the HTTP API
	serf, rpc   string // host:port for other agents
	dir         string
	datacenter  string
	onDisk      bool
	acl         bool
	ca          *CA
	clientCerts bool
	cert        Certificate
	cluster     []string // where the servers of its cluster are; nil if it is alone
	client      bool     // of a cluster, without a vote

	mu      sync.Mutex
	running *process
	output  output
}

// StartConsul starts an agent and returns once it has a leader and is in its
// catalogue.
func StartConsul(t testing.TB, opts ...ConsulOption) *Consul {
	t.Helper()
	c := newConsul(t, opts)
	if err := c.launch(t); err != nil {
		t.Fatalf("start consul on %s: %v\n%s", c.addr, err, c.output.String())
	}
	return c
}

// newConsul makes an agent of the test that is not started.
func newConsul(t testing.TB, opts []ConsulOption) *Consul {
	t.Helper()
	c := &Consul{node: "agent", datacenter: "dc1", binary: consulBinary(t), dir: filepath.Join(t.TempDir(), "data")}
	for _, o := range opts {
		o(c)
	}
	if c.ca != nil {
		c.cert = c.ca.Server(t)
	}
	t.Cleanup(func() {
		c.Kill()
		if t.Failed() {
			t.Logf("output of consul %s on %s:\n%s", c.node, c.addr, c.output.String())
		}
	})
	return c
}

// launch starts the agent on addresses that nobody else takes meanwhile.
func (c *Consul) launch(t testing.TB) error {
	t.Helper()
	for attempt := 1; ; attempt++ {
		c.take(t)
		c.start(t)
		_, err := c.ready()
		if err == nil || attempt == startAttempts || c.process().alive() {
			return err
		}
		c.Wipe()
	}
}

// take chooses the addresses.
func (c *Consul) take(t testing.TB) {
	t.Helper()
	c.addr, c.serf, c.rpc = freeAddr(t), freeAddr(t), freeAddr(t)
}

// Addr returns the host:port of the HTTP API.
func (c *Consul) Addr() string { return c.addr }

// URL returns Addr with http:// or https:// before it.
func (c *Consul) URL() string {
	if c.ca != nil {
		return "https://" + c.addr
	}
	return "http://" + c.addr
}

// Node returns the agent's name among the nodes of its datacenter.
func (c *Consul) Node() string { return c.node }

// Kill ends the process as a crash does, frozen or not, and waits until it is
// gone. A process that does not run is left alone.
func (c *Consul) Kill() {
	if p := c.process(); p != nil {
		p.kill()
	}
}

// Stop ends the process as an operator does, without leaving its datacenter, and
// fails the test if it takes more than half a minute.
func (c *Consul) Stop(t testing.TB) {
	t.Helper()
	p := c.process()
	if p == nil || !p.alive() {
		return
	}
	if err := p.terminate(); err != nil {
		t.Fatalf("stop consul on %s: %v", c.addr, err)
	}
	if !p.waitFor(stopPatience) {
		p.kill()
		t.Fatalf("consul on %s does not stop", c.addr)
	}
}

// Freeze stops the process without ending it: connections stay open and nothing
// is answered, until Thaw. It returns once that is so.
func (c *Consul) Freeze(t testing.TB) {
	t.Helper()
	if err := c.process().freeze(); err != nil {
		t.Fatalf("freeze consul on %s: %v", c.addr, err)
	}
	for c.answers(100 * time.Millisecond) {
	}
}

// answers reports whether a request is answered within d.
func (c *Consul) answers(d time.Duration) bool {
	ctx, cancel := context.WithTimeout(context.Background(), d)
	defer cancel()
	var refused *ConsulError
	_, err := c.request(ctx, "GET", "/v1/status/leader", nil)
	return err == nil || errors.As(err, &refused)
}

// Thaw lets a frozen process go on.
func (c *Consul) Thaw(t testing.TB) {
	t.Helper()
	if err := c.process().thaw(); err != nil {
		t.Fatalf("thaw consul on %s: %v", c.addr, err)
	}
}

// Restart starts the agent on the same addresses, after a Stop if it runs, and
// returns the moment at which it was ready. It knows what it knew with ConsulOnDisk
// and nothing without.
func (c *Consul) Restart(t testing.TB) time.Time {
	t.Helper()
	c.Stop(t)
	c.start(t)
	return c.WaitReady(t)
}

// Wipe kills the process and removes its data. A Restart begins empty.
func (c *Consul) Wipe() {
	c.Kill()
	// What is left behind makes the next start fail, which reports it.
	_ = os.RemoveAll(c.dir)
}

// WaitReady returns the moment at which the agent was first found to have a leader
// and to be in its catalogue. The test fails if that takes more than 20 seconds.
func (c *Consul) WaitReady(t testing.TB) time.Time {
	t.Helper()
	at, err := c.ready()
	if err != nil {
		t.Fatalf("wait for consul %s on %s: %v", c.node, c.addr, err)
	}
	return at
}

func (c *Consul) process() *process {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.running
}

// start starts the process and does not wait for it.
func (c *Consul) start(t testing.TB) {
	t.Helper()
	args, err := c.arguments()
	if err != nil {
		t.Fatalf("start consul: %v", err)
	}
	p, err := startProcess(c.binary, args, &c.output)
	if err != nil {
		t.Fatalf("start consul: %v", err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.running = p
}

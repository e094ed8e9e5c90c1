package testkit

import (
	"os"
	"path/filepath"
	"sync"
	"testing"
)

// shared is the agent of SharedConsul.
var shared struct {
	sync.Mutex
	agent *Consul
}

// SharedConsul returns an agent that all tests of the process use, with nothing
// special. It is stopped by Main, which the package's TestMain has to be. Whoever
// uses it disturbs nobody: the tests have names of services of their own, take
// others that are there for granted, and leave the process alone.
func SharedConsul(t testing.TB) *Consul {
	t.Helper()
	binary := consulBinary(t)
	shared.Lock()
	defer shared.Unlock()
	if shared.agent != nil {
		return shared.agent
	}
	dir, err := os.MkdirTemp("", "consul-")
	if err != nil {
		t.Fatalf("start consul: %v", err)
	}
	c := &Consul{node: "agent", datacenter: "dc1", binary: binary, dir: filepath.Join(dir, "data")}
	if err := c.launch(t); err != nil {
		c.remove()
		t.Fatalf("start consul on %s: %v\n%s", c.addr, err, c.output.String())
	}
	shared.agent = c
	return c
}

// stopSharedConsul ends the agent of SharedConsul, if there is one.
func stopSharedConsul() {
	shared.Lock()
	defer shared.Unlock()
	if shared.agent != nil {
		shared.agent.remove()
		shared.agent = nil
	}
}

// remove kills the agent and removes its files.
func (c *Consul) remove() {
	c.Kill()
	// What is left is in the directory of temporary files.
	_ = os.RemoveAll(filepath.Dir(c.dir))
}

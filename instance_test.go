package micro

import (
	"sync"
	"testing"

	"github.com/rollcall-go/micro/config"
	"github.com/rollcall-go/micro/config/source"
)

// readBy is a configuration that notes who reads it.
type readBy struct {
	config.Config
	mu   sync.Mutex
	node string
}

func (r *readBy) SetInstance(i source.Instance) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.node = i.Node
}

func (r *readBy) heard() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.node
}

func TestTheConfigurationHearsOfItsNodeBeforeTheServiceStarts(t *testing.T) {
	c, r := &readBy{Config: config.DefaultConfig}, newMemory(t)
	before := ""
	s := newNode(t, "a", r, nil, Config(c), BeforeStart(func() error { before = c.heard(); return nil }))
	stop := run(t, s)
	found, err := r.GetService("a")
	if err != nil || len(found) != 1 || found[0].Nodes[0].Id != before {
		t.Errorf("the configuration heard of %q, and registered is %+v, %v", before, found, err)
	}
	if err := stop(); err != nil {
		t.Fatal(err)
	}
}

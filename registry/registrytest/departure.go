package registrytest

import (
	"context"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/rollcall-go/micro/internal/ability"
	"github.com/rollcall-go/micro/internal/discovery"
	"github.com/rollcall-go/micro/internal/feed"
	"github.com/rollcall-go/micro/registry"
)

// knowsWhy reports whether the backend itself tells followers why nodes leave. One
// that offers the public contract alone cannot.
func knowsWhy(r registry.Registry) bool {
	_, ok := ability.As[feed.Source](r)
	return ok
}

// owner returns the registry whose records are to expire: another one in the same
// directory, which is closed as a crash would end it, or r itself. It skips the test
// where nothing expires.
func (s *suite) owner(t *testing.T, r registry.Registry) (owner registry.Registry, crash func()) {
	t.Helper()
	switch {
	case s.noExpiry:
		s.lacks(t, r, "expiry", "the backend takes no notice of the time to live")
	case s.second != nil:
		owner = s.second(t)
		return owner, func() { closes(t, owner) }
	case s.renews:
		s.lacks(t, r, "crash", "the backend renews by itself, and no Second registry was given to crash")
	}
	return r, func() {}
}

// closes closes a Second registry, if there is something to close.
func closes(t *testing.T, r registry.Registry) {
	t.Helper()
	if closer, ok := r.(io.Closer); ok {
		if err := closer.Close(); err != nil {
			t.Errorf("close the second registry: %v", err)
		}
	}
}

// lastTime registers what is to expire. seen waits until followers know it, which may take
// longer than the short life that it then has.
func (s *suite) lastTime(t *testing.T, owner registry.Registry, one *registry.Service, seen func()) {
	t.Helper()
	if s.renews {
		mustRegister(t, owner, one, registry.RegisterTTL(s.ttl))
		seen()
		return
	}
	mustRegister(t, owner, one, registry.RegisterTTL(100*s.ttl))
	seen()
	mustRegister(t, owner, one, registry.RegisterTTL(s.ttl))
}

// noFalseEmpty lets all nodes of a service expire at once while a follower looks:
// calls must always find nodes. Then all leave on purpose: calls must find none.
func (s *suite) noFalseEmpty(t *testing.T) {
	r := s.open(t)
	owner, crash := s.owner(t, r)
	d := discovery.New(feed.Of(r), discovery.Options{})
	defer d.Close()
	hello := service("hello", "1", "a", "b", "c")
	s.lastTime(t, owner, hello, func() { s.becomes(t, d, 3, 0) })
	var empty atomic.Bool
	stop := d.Observe(func(snapshot *discovery.Snapshot) {
		if snapshot.Known && len(snapshot.Nodes)+len(snapshot.Suspects) == 0 {
			empty.Store(true)
		}
	})
	crash()
	s.becomes(t, d, 0, 3)
	stop()
	if empty.Load() {
		t.Error("calls found no node for a while, though nobody took one out")
	}

	mustRegister(t, r, hello, registry.RegisterTTL(s.ttl*100))
	s.becomes(t, d, 3, 0)
	mustDeregister(t, r, hello)
	if knowsWhy(r) {
		s.becomes(t, d, 0, 0)
	}
}

// becomes waits until the follower knows so many nodes and suspects.
func (s *suite) becomes(t *testing.T, d *discovery.Directory, nodes, suspects int) {
	t.Helper()
	err := poll(s.patience+2*s.ttl, func() error {
		snapshot := d.Lookup("hello")
		if len(snapshot.Nodes) == nodes && len(snapshot.Suspects) == suspects {
			return nil
		}
		return fmt.Errorf("a follower knows %d nodes and %d suspects, want %d and %d", len(snapshot.Nodes), len(snapshot.Suspects), nodes, suspects)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// causes looks at what followers are told about a node that was deregistered and
// about one that expired.
func (s *suite) causes(t *testing.T) {
	r := s.open(t)
	if !knowsWhy(r) {
		s.lacks(t, r, "cause", "the backend offers the public contract alone, which does not say why nodes leave")
	}
	owner, crash := s.owner(t, r)
	departures := s.follow(t, r)
	mustRegister(t, r, service("hello", "1", "stays", "leaves"), registry.RegisterTTL(s.ttl*100))
	s.lastTime(t, owner, service("hello", "1", "expires"), func() {
		if err := poll(s.patience, func() error { return departures.saw(3) }); err != nil {
			t.Fatal(err)
		}
	})
	mustDeregister(t, r, service("hello", "1", "leaves"))
	s.left(t, r, departures, "leaves", feed.Deleted)
	crash()
	s.left(t, r, departures, "expires", feed.Expired)
}

// left waits for the departure of a node and checks its cause, as the backend's
// Resolver has it where the departure does not show it.
func (s *suite) left(t *testing.T, r registry.Registry, departures *departures, id string, want feed.Cause) {
	t.Helper()
	err := poll(s.patience+2*s.ttl, func() error {
		d, ok := departures.of(id)
		if !ok {
			return fmt.Errorf("followers were not told that %q left", id)
		}
		cause := d.Cause
		if resolver, ok := ability.As[feed.Resolver](r); ok && (cause == feed.Unknown || cause == feed.Vanished) {
			causes, err := resolver.Resolve(t.Context(), []feed.Departure{d})
			if err != nil || len(causes) != 1 {
				return fmt.Errorf("resolve why %q left: %v, %v", id, causes, err)
			}
			cause = causes[0]
		}
		if cause != want {
			return fmt.Errorf("%q left because it was %v, want %v", id, cause, want)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// departures keeps the views, and the last departure of each node. It is a feed.Sink.
type departures struct {
	mu    sync.Mutex
	most  int // nodes seen at a time
	gone  map[string]feed.Departure
	views int
	view  []*registry.Service // the last one
}

func (s *suite) follow(t *testing.T, r registry.Registry) *departures {
	t.Helper()
	d := &departures{gone: map[string]feed.Departure{}}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- feed.Of(r).Follow(ctx, "hello", d) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("follow: %v", err)
		}
	})
	return d
}

// Update implements feed.Sink.
func (d *departures) Update(u feed.Update) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.most = max(d.most, len(ids(u.Services...)))
	d.views++
	d.view = u.Services
	for _, gone := range u.Departed {
		d.gone[gone.Node.Id] = gone
	}
}

// Status implements feed.Sink.
func (d *departures) Status(feed.Status) {}

// saw returns an error unless so many nodes were seen at a time.
func (d *departures) saw(nodes int) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.most < nodes {
		return fmt.Errorf("a follower saw %d nodes at most, want %d", d.most, nodes)
	}
	return nil
}

// last returns the last view; known is false if there was none.
func (d *departures) last() (services []*registry.Service, known bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.view, d.views > 0
}

func (d *departures) of(id string) (feed.Departure, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	gone, ok := d.gone[id]
	return gone, ok
}

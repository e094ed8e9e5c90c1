package multi

import (
	"context"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rollcall-go/micro/internal/ability"
	"github.com/rollcall-go/micro/internal/feed"
	"github.com/rollcall-go/micro/registry"
	"github.com/rollcall-go/micro/registry/memory"
)

// mode is how a fake member behaves.
type mode int

const (
	up    mode = iota
	fails      // every call returns an error at once
	hangs      // every call lasts until its context is done
)

var errAway = errors.New("away")

// fake is a member in memory that can be made to fail. What it held stays. An operator
// can pause nodes in it.
type fake struct {
	registry.Registry
	name string

	mu        sync.Mutex
	mode      mode
	changed   chan struct{} // closed and replaced at every change of the mode
	paused    map[string]bool
	observers map[string]*ability.Observers // by node
	registers int
}

// newFake returns a member; the test closes what holds its records.
func newFake(t *testing.T, name string) *fake {
	t.Helper()
	f := &fake{Registry: memory.NewRegistry(), name: name, changed: make(chan struct{}), paused: make(map[string]bool), observers: make(map[string]*ability.Observers)}
	t.Cleanup(func() {
		if err := f.Registry.(io.Closer).Close(); err != nil {
			t.Error(err)
		}
	})
	return f
}

func (f *fake) String() string { return f.name }

func (f *fake) set(m mode) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.mode = m
	close(f.changed)
	f.changed = make(chan struct{})
}

// enter returns what a call that ends with ctx has to return now, nil to go on.
func (f *fake) enter(ctx context.Context) error {
	f.mu.Lock()
	m := f.mode
	f.mu.Unlock()
	switch m {
	case fails:
		return errAway
	case hangs:
		<-ctx.Done()
		return context.Cause(ctx)
	}
	return nil
}

func (f *fake) Register(s *registry.Service, opts ...registry.RegisterOption) error {
	var o registry.RegisterOptions
	for _, opt := range opts {
		opt(&o)
	}
	f.mu.Lock()
	f.registers++
	f.mu.Unlock()
	if err := f.enter(o.Context); err != nil {
		return err
	}
	f.mu.Lock()
	paused := f.paused[s.Nodes[0].Id]
	f.mu.Unlock()
	if paused {
		return nil
	}
	return f.Registry.Register(s, registry.RegisterTTL(o.TTL))
}

func (f *fake) Deregister(s *registry.Service, opts ...registry.DeregisterOption) error {
	var o registry.DeregisterOptions
	for _, opt := range opts {
		opt(&o)
	}
	if err := f.enter(o.Context); err != nil {
		return err
	}
	return f.Registry.Deregister(s)
}

func (f *fake) GetService(name string, opts ...registry.GetOption) ([]*registry.Service, error) {
	var o registry.GetOptions
	for _, opt := range opts {
		opt(&o)
	}
	if err := f.enter(o.Context); err != nil {
		return nil, err
	}
	return f.Registry.GetService(name)
}

func (f *fake) ListServices(opts ...registry.ListOption) ([]*registry.Service, error) {
	var o registry.ListOptions
	for _, opt := range opts {
		opt(&o)
	}
	if err := f.enter(o.Context); err != nil {
		return nil, err
	}
	return f.Registry.ListServices()
}

func (f *fake) Watch(opts ...registry.WatchOption) (registry.Watcher, error) {
	var o registry.WatchOptions
	for _, opt := range opts {
		opt(&o)
	}
	if err := f.enter(o.Context); err != nil {
		return nil, err
	}
	return f.Registry.Watch(opts...)
}

// Follow says nothing of what the member holds while it is not up.
func (f *fake) Follow(ctx context.Context, name string, sink feed.Sink) error {
	for ctx.Err() == nil {
		f.mu.Lock()
		m, changed := f.mode, f.changed
		f.mu.Unlock()
		session, cancel := context.WithCancel(ctx)
		if m == up {
			over := make(chan struct{})
			go func() {
				defer close(over)
				select {
				case <-changed:
				case <-session.Done():
				}
				cancel()
			}()
			if err := f.Registry.(feed.Source).Follow(session, name, sink); err != nil {
				cancel()
				<-over
				return err
			}
			cancel()
			<-over
			continue
		}
		if m == fails {
			sink.Status(feed.Status{Err: errAway, Since: time.Now()})
		}
		select {
		case <-changed:
		case <-ctx.Done():
		}
		cancel()
	}
	return nil
}

func (f *fake) observersOf(node string) *ability.Observers {
	if f.observers[node] == nil {
		f.observers[node] = &ability.Observers{}
		f.observers[node].Tell(ability.Status{State: ability.Held})
	}
	return f.observers[node]
}

func (f *fake) ObserveRegistration(_, node string, observe func(ability.Status)) (stop func()) {
	f.mu.Lock()
	o := f.observersOf(node)
	f.mu.Unlock()
	ctx, cancel := context.WithCancel(context.Background())
	l, done := o.Add(), make(chan struct{})
	go func() {
		defer close(done)
		l.Listen(ctx, observe)
	}()
	return func() {
		cancel()
		<-done
		o.Remove(l)
	}
}

// tell says what becomes of a node, and takes it out or puts it back if that is a
// pause or its end.
func (f *fake) tell(t *testing.T, s *registry.Service, status ability.Status) {
	t.Helper()
	id := s.Nodes[0].Id
	f.mu.Lock()
	was := f.paused[id]
	f.paused[id] = status.State == ability.Paused
	o := f.observersOf(id)
	f.mu.Unlock()
	switch {
	case status.State == ability.Paused:
		if err := f.Registry.Deregister(s); err != nil {
			t.Error(err)
		}
	case was && status.State == ability.Held:
		if err := f.Registry.Register(s); err != nil {
			t.Error(err)
		}
	}
	o.Tell(status)
}

func (f *fake) Paused(context.Context, string) ([]string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var all []string
	for id, paused := range f.paused {
		if paused {
			all = append(all, id)
		}
	}
	return all, nil
}

// one makes a record from "name version node address".
func one(text string) *registry.Service {
	f := strings.Fields(text)
	return &registry.Service{Name: f[0], Version: f[1], Nodes: []*registry.Node{{Id: f[2], Address: f[3]}}}
}

func outline(services []*registry.Service) string {
	var out []string
	for _, s := range services {
		for _, n := range s.Nodes {
			out = append(out, s.Name+"@"+s.Version+"/"+n.Id+"="+n.Address)
		}
	}
	return strings.Join(out, " ")
}

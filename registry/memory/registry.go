// Package memory is a registry inside one process: for tests, and for programs
// whose services all run in one process.
//
// Services find one another if they are given the same Registry value.
package memory

import (
	"context"
	"fmt"
	"io"
	"reflect"
	"sync"
	"time"

	"github.com/rollcall-go/micro/internal/feed"
	"github.com/rollcall-go/micro/internal/record"
	"github.com/rollcall-go/micro/internal/settings"
	"github.com/rollcall-go/micro/registry"
)

// Registry is the backend. It starts no goroutine; between calls, one timer may
// run, for the record that expires next. Make it with NewRegistry.
type Registry struct {
	mu       sync.Mutex
	opts     registry.Options
	view     record.View
	expires  map[record.ID]time.Time // records that live for ever are not in it
	expired  map[record.ID]time.Time // those that ran out a short while ago, for followers
	timer    *time.Timer             // looks at expires at wake, nil if none is set
	wake     time.Time
	watchers map[*Watcher]struct{}
	revision int64
	changed  chan struct{} // closed and replaced at every change
	closed   bool
}

var (
	_ registry.Registry = (*Registry)(nil)
	_ feed.Source       = (*Registry)(nil)
	_ io.Closer         = (*Registry)(nil)
)

// NewRegistry returns a registry that holds what the option Services gave it.
func NewRegistry(opts ...registry.Option) registry.Registry {
	r := &Registry{
		opts:     registry.Options{Context: context.Background()}, // the root of values alone
		expires:  make(map[record.ID]time.Time),
		expired:  make(map[record.ID]time.Time),
		watchers: make(map[*Watcher]struct{}),
		changed:  make(chan struct{}),
	}
	// A new registry is open, which is all that could fail.
	_ = r.Init(opts...)
	return r
}

// Init applies options. Services given here are added; a node that is there
// already stays as it is.
func (r *Registry) Init(opts ...registry.Option) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return fmt.Errorf("set the registry up: %w", registry.ErrClosed)
	}
	for _, o := range opts {
		o(&r.opts)
	}
	for name, versions := range initial(r.opts) {
		for _, s := range versions {
			if s == nil {
				continue
			}
			c := record.CopyService(s)
			if c.Name == "" {
				c.Name = name
			}
			if record.Check(c) != nil {
				continue
			}
			for _, one := range record.Split(c) {
				if r.view.Get(record.ID{Service: one.Name, Node: one.Nodes[0].Id}) == nil {
					r.put(one)
				}
			}
		}
	}
	return nil
}

// Options returns the options in force.
func (r *Registry) Options() registry.Options {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.opts
}

// Register publishes every node of s. Without a time to live it stays until it
// is deregistered; with one it expires unless it is registered again in time.
func (r *Registry) Register(s *registry.Service, opts ...registry.RegisterOption) error {
	if err := record.Check(s); err != nil {
		return fmt.Errorf("register: %w", err)
	}
	var o registry.RegisterOptions
	for _, opt := range opts {
		opt(&o)
	}
	if err := settings.Ended(o.Context); err != nil {
		return fmt.Errorf("register %q: %w", s.Name, err)
	}
	records := record.Split(record.CopyService(s))
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return fmt.Errorf("register %q: %w", s.Name, registry.ErrClosed)
	}
	for _, one := range records {
		id := record.ID{Service: one.Name, Node: one.Nodes[0].Id}
		if old := r.view.Get(id); !reflect.DeepEqual(old, one) {
			r.put(one)
		}
		if o.TTL > 0 {
			at := time.Now().Add(o.TTL)
			r.expires[id] = at
			r.wakeAt(at)
		} else {
			delete(r.expires, id)
		}
	}
	return nil
}

// Deregister removes the nodes of s, whatever their version.
func (r *Registry) Deregister(s *registry.Service, opts ...registry.DeregisterOption) error {
	if err := record.Check(s); err != nil {
		return fmt.Errorf("deregister: %w", err)
	}
	var o registry.DeregisterOptions
	for _, opt := range opts {
		opt(&o)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return fmt.Errorf("deregister %q: %w", s.Name, registry.ErrClosed)
	}
	for _, n := range s.Nodes {
		delete(r.expired, record.ID{Service: s.Name, Node: n.Id})
		r.remove(record.ID{Service: s.Name, Node: n.Id})
	}
	// They are given up in any case.
	if err := settings.Ended(o.Context); err != nil {
		return fmt.Errorf("deregister %q: %w", s.Name, err)
	}
	return nil
}

// GetService returns the versions of the named service.
func (r *Registry) GetService(name string, opts ...registry.GetOption) ([]*registry.Service, error) {
	if err := record.CheckName(name); err != nil {
		return nil, fmt.Errorf("look up: %w", err)
	}
	var o registry.GetOptions
	for _, opt := range opts {
		opt(&o)
	}
	services, err := r.read(o.Context, name)
	if err != nil {
		return nil, fmt.Errorf("look up %q: %w", name, err)
	}
	if len(services) == 0 {
		// As it is: programs for v2 compare with ==.
		return nil, registry.ErrNotFound
	}
	return record.Copy(services), nil
}

// ListServices returns every service with its nodes, one entry per version.
func (r *Registry) ListServices(opts ...registry.ListOption) ([]*registry.Service, error) {
	var o registry.ListOptions
	for _, opt := range opts {
		opt(&o)
	}
	services, err := r.read(o.Context, "")
	if err != nil {
		return nil, fmt.Errorf("list services: %w", err)
	}
	if len(services) == 0 {
		return []*registry.Service{}, nil
	}
	return record.Copy(services), nil
}

// read returns the shared view of one service, or of all if name is empty.
func (r *Registry) read(ctx context.Context, name string) ([]*registry.Service, error) {
	if err := settings.Ended(ctx); err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return nil, registry.ErrClosed
	}
	if name == "" {
		return r.view.Services(), nil
	}
	return r.view.Named(name), nil
}

// String returns "memory".
func (r *Registry) String() string { return "memory" }

// Close ends every watch and the registry itself: its methods return errors from
// then on. It may be called more than once.
func (r *Registry) Close() error {
	r.mu.Lock()
	r.closed = true
	clear(r.expires)
	r.stopTimer()
	watchers := r.watchers
	r.watchers = make(map[*Watcher]struct{})
	r.announce()
	r.mu.Unlock()
	for w := range watchers {
		w.Stop()
	}
	return nil
}

// put stores a record and tells the watchers. The caller holds mu.
func (r *Registry) put(one *registry.Service) {
	action := registry.Update
	if r.view.Get(record.ID{Service: one.Name, Node: one.Nodes[0].Id}) == nil {
		action = registry.Create
	}
	delete(r.expired, record.ID{Service: one.Name, Node: one.Nodes[0].Id})
	r.view.Set(one)
	r.tell(action, one)
}

// remove drops a record and tells the watchers. The caller holds mu.
func (r *Registry) remove(id record.ID) {
	delete(r.expires, id)
	if old := r.view.Get(id); old != nil {
		r.view.Delete(id)
		r.tell(registry.Delete, old)
	}
}

func (r *Registry) tell(action registry.EventType, one *registry.Service) {
	r.revision++
	e := &registry.Result{Action: action.String(), Service: one}
	for w := range r.watchers {
		w.push(e)
	}
	r.announce()
}

func (r *Registry) announce() {
	close(r.changed)
	r.changed = make(chan struct{})
}

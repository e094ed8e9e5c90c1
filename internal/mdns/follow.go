package mdns

import (
	"slices"
	"time"

	"github.com/rollcall-go/micro/internal/record"
	"github.com/rollcall-go/micro/registry"
)

// cause is why a node is gone.
type cause bool

const (
	deleted cause = false // it said goodbye
	expired cause = true  // it was not heard of in its time
)

// departure is how a node went.
type departure struct {
	cause cause
	at    time.Time
}

// remembered is how long followers can learn why a node went.
const remembered = time.Minute

// observation is one who is told of every change.
type observation struct {
	service string // "" for all
	push    func(*registry.Result)
	end     func()
}

// put stores a record and tells who observes. The caller holds mu.
func (e *Engine) put(s *registry.Service) {
	id := record.ID{Service: s.Name, Node: s.Nodes[0].Id}
	action := registry.Update
	if e.view.Get(id) == nil {
		action = registry.Create
	}
	delete(e.gone, id)
	e.view.Set(s)
	e.report(action, s)
}

// remove drops a node, wherever it came from, and tells who observes. The caller
// holds mu.
func (e *Engine) remove(id record.ID, why cause, now time.Time) {
	e.forget(id)
	old := e.view.Get(id)
	if old == nil {
		return
	}
	if why == expired {
		e.counts.expired++
	}
	e.view.Delete(id)
	for other := range e.gone {
		if len(e.gone) < maxGone {
			break
		}
		delete(e.gone, other)
	}
	e.gone[id] = departure{why, now}
	if t := e.browsed[id.Service]; t != nil && len(t.nodes) == 0 && len(e.services[id.Service]) == 0 {
		t.settleBy = t.latest // who waits, waits for somebody who is there
	}
	e.report(registry.Delete, old)
}

// forget drops what a stranger said of a node.
func (e *Engine) forget(id record.ID) {
	if t := e.browsed[id.Service]; t != nil && t.nodes[id.Node] != nil {
		e.unload(t.nodes[id.Node])
	}
}

func (e *Engine) report(action registry.EventType, s *registry.Service) {
	r := &registry.Result{Action: action.String(), Service: s}
	for o := range e.watches {
		if o.service == "" || o.service == s.Name {
			o.push(r)
		}
	}
	if e.untidy++; e.untidy >= tidyEvery {
		e.tidy()
	}
	e.tell()
}

// Observe tells push of every change in a service, or in all for "", in order, until
// stop is called. push must neither wait nor change what it is given. end is called
// when the engine is closed before. What is browsed is up to Use.
func (e *Engine) Observe(service string, push func(*registry.Result), end func()) (stop func(), err error) {
	o := &observation{service, push, end}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return nil, registry.ErrClosed
	}
	e.watches[o] = struct{}{}
	return func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		delete(e.watches, o)
	}, nil
}

// View is what is known at one time.
type View struct {
	// Services are shared and immutable.
	Services []*registry.Service
	// Down says why no link works, and Since when that changed last.
	Down  error
	Since time.Time
	// Changed is closed when there is another view.
	Changed <-chan struct{}
}

// Look returns what is known of a service, or of all for "".
func (e *Engine) Look(service string) (View, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return View{}, registry.ErrClosed
	}
	v := View{Services: e.view.Services(), Down: e.down, Since: e.downSince, Changed: e.changed}
	if service != "" {
		v.Services = record.Named(v.Services, service)
	}
	return v, nil
}

// Publishes reports whether a node is one of ours.
func (e *Engine) Publishes(id record.ID) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.services[id.Service][id.Node] != nil
}

// Names returns the names of the services that are known, sorted.
func (e *Engine) Names() ([]string, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return nil, registry.ErrClosed
	}
	var names []string
	for _, s := range e.view.Services() {
		names = append(names, s.Name)
	}
	return slices.Compact(names), nil
}

// Expired reports whether a node that is gone was not heard of in its time, rather
// than having said goodbye.
func (e *Engine) Expired(id record.ID) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.gone[id].cause == expired
}

// Done is closed when the engine is closed.
func (e *Engine) Done() <-chan struct{} { return e.ctx.Done() }

package rpc

import (
	"fmt"
	"go/token"
	"maps"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/rollcall-go/micro/server"
)

// Handler is a value whose methods can be called from outside. It is not changed
// once made.
type Handler struct {
	// Name is the name of the value's type.
	Name string
	// Methods are those that can be called, in the order of their names.
	Methods []*Method
	// Skipped are the exported methods that cannot.
	Skipped []Skipped

	byName map[string]*Method
}

// Skipped is an exported method that cannot be called from outside.
type Skipped struct {
	// Name is the name of the method.
	Name string
	// Reason says why it cannot.
	Reason error
}

// NewHandler returns the handler made of the methods of v. It returns an error
// if v has no exported type name or not one method that can be called.
func NewHandler(v any) (*Handler, error) {
	rcvr := reflect.ValueOf(v)
	if !rcvr.IsValid() {
		return nil, fmt.Errorf("make a handler of nil: give it a pointer to a struct with methods")
	}
	name := TypeName(v)
	if !token.IsExported(name) {
		return nil, fmt.Errorf("make a handler of %T: the type has no exported name", v)
	}
	h := &Handler{Name: name, byName: make(map[string]*Method)}
	for i := range rcvr.NumMethod() {
		m := rcvr.Type().Method(i)
		method, err := newMethod(name, rcvr, m)
		if err != nil {
			h.Skipped = append(h.Skipped, Skipped{Name: m.Name, Reason: err})
			continue
		}
		h.Methods = append(h.Methods, method)
		h.byName[m.Name] = method
	}
	described := server.MethodsOf(v)
	for i := range described {
		m := h.byName[GoName(described[i].Name)]
		if m == nil || m.Stream {
			return nil, fmt.Errorf("make a handler of %T: it describes a method %q, which it does not have", v, described[i].Name)
		}
		if err := m.callBy(&described[i]); err != nil {
			return nil, fmt.Errorf("make a handler of %T: %w", v, err)
		}
	}
	if len(h.Methods) == 0 {
		return nil, fmt.Errorf("make a handler of %T: it has no method of the form (ctx, request, response) error or (ctx, stream) error%s", v, h.reasons())
	}
	return h, nil
}

func (h *Handler) reasons() string {
	var s string
	for _, m := range h.Skipped {
		s += fmt.Sprintf("; %s: %s", m.Name, m.Reason)
	}
	return s
}

// TypeName returns the name of v's type, or of what it points to, without type
// arguments, which no path can hold; empty for nil and for a type without a name.
func TypeName(v any) string {
	t := reflect.TypeOf(v)
	if t == nil {
		return ""
	}
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	name, _, _ := strings.Cut(t.Name(), "[")
	return name
}

// Table finds methods by name. The zero value is empty. Adding and finding are
// safe for concurrent use, and finding takes no lock.
type Table struct {
	mu       sync.Mutex // guards the replacement of handlers
	handlers atomic.Pointer[map[string]*Handler]
}

// Add puts the handler into the table. It returns an error if there is one of
// that name.
func (t *Table) Add(h *Handler) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	old := t.load()
	if _, there := old[h.Name]; there {
		return fmt.Errorf("add handler %q: there is one of that name already; give its type another name", h.Name)
	}
	next := maps.Clone(old)
	if next == nil {
		next = make(map[string]*Handler, 1)
	}
	next[h.Name] = h
	t.handlers.Store(&next)
	return nil
}

func (t *Table) load() map[string]*Handler {
	if p := t.handlers.Load(); p != nil {
		return *p
	}
	return nil
}

// Handlers returns all handlers in the order of their names.
func (t *Table) Handlers() []*Handler {
	all := t.load()
	out := make([]*Handler, 0, len(all))
	for _, name := range slices.Sorted(maps.Keys(all)) {
		out = append(out, all[name])
	}
	return out
}

// Find returns the method with the given names, that of the method as in Go or
// as in a .proto file. For unknown names it returns a gRPC status in v2's words.
func (t *Table) Find(handler, method string) (*Method, error) {
	h := t.load()[handler]
	if h == nil {
		return nil, status.Errorf(codes.Unimplemented, "unknown service %s", Excerpt(handler))
	}
	m := h.byName[method]
	if m == nil {
		m = h.byName[GoName(method)]
	}
	if m == nil {
		return nil, status.Errorf(codes.Unimplemented, "unknown service %s.%s", handler, Excerpt(method))
	}
	return m, nil
}

// Package journal is a registry in a file, written from the contract alone. Processes
// append to the file, its only address, what they register; what is registered is what
// all lines together say. docs/ADDING_A_BACKEND.md says what a real one needs.
package journal

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/rollcall-go/micro/registry"
)

type journal struct {
	opts atomic.Pointer[registry.Options]
}

// NewRegistry returns a registry in the file that registry.Addrs names.
func NewRegistry(opts ...registry.Option) registry.Registry {
	j := &journal{}
	j.opts.Store(&registry.Options{})
	_ = j.Init(opts...) // only records
	return j
}

func (j *journal) String() string            { return "journal" }
func (j *journal) Options() registry.Options { return *j.opts.Load() }
func (j *journal) Init(opts ...registry.Option) error {
	o := apply(j.Options(), opts)
	j.opts.Store(&o)
	return nil
}

func apply[O any, F ~func(*O)](o O, opts []F) O {
	for _, f := range opts {
		f(&o)
	}
	return o
}

func (j *journal) Register(s *registry.Service, opts ...registry.RegisterOption) error {
	// Without a TTL it lasts for 146 years.
	return j.write(s, time.Now().Add(cmp.Or(apply(registry.RegisterOptions{}, opts).TTL, 1<<62)))
}

func (j *journal) Deregister(s *registry.Service, _ ...registry.DeregisterOption) error {
	return j.write(s, time.Time{})
}

// line says what is registered of one node, and until when.
type line struct {
	Service, Node string
	Ends          time.Time
	Value         json.RawMessage // the service with this node
}

func (j *journal) write(s *registry.Service, ends time.Time) error {
	if s == nil {
		return errors.New("register nil: give a service")
	}
	if bad(s.Name) || len(s.Nodes) == 0 {
		return fmt.Errorf("register %q: it has no nodes, or its name cannot be", s.Name)
	}
	var text bytes.Buffer
	for i, n := range s.Nodes {
		if n == nil {
			return fmt.Errorf("register %q: node %d is nil", s.Name, i)
		}
		if bad(n.Id) || slices.ContainsFunc(s.Nodes[:i], func(other *registry.Node) bool { return other.Id == n.Id }) {
			return fmt.Errorf("register %q: node id %q is there twice, or cannot be", s.Name, n.Id)
		}
		one := *s
		one.Nodes = []*registry.Node{n}
		value, err := json.Marshal(one)
		if err := errors.Join(err, json.NewEncoder(&text).Encode(line{s.Name, n.Id, ends, value})); err != nil {
			return err
		}
	}
	f, err := os.OpenFile(strings.Join(j.Options().Addrs, ","), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(text.Bytes())
	return errors.Join(err, f.Close())
}

func (j *journal) GetService(name string, _ ...registry.GetOption) ([]*registry.Service, error) {
	all, err := j.ListServices()
	all = slices.DeleteFunc(all, func(s *registry.Service) bool { return s.Name != name })
	if err == nil && len(all) == 0 {
		err = fmt.Errorf("look up %q: %w", name, registry.ErrNotFound)
	}
	return all, err
}

func (j *journal) ListServices(...registry.ListOption) ([]*registry.Service, error) {
	w := watcher{journal: j, nodes: map[string]line{}}
	err := w.read()
	services := map[string]*registry.Service{}
	for _, node := range slices.Sorted(maps.Keys(w.nodes)) {
		s := w.nodes[node].service()
		key := s.Name + "\x00" + s.Version
		if other := services[key]; other != nil {
			s.Nodes = append(other.Nodes, s.Nodes...)
		}
		services[key] = s
	}
	sorted := []*registry.Service{}
	for _, key := range slices.Sorted(maps.Keys(services)) {
		sorted = append(sorted, services[key])
	}
	return sorted, err
}

func (j *journal) Watch(opts ...registry.WatchOption) (registry.Watcher, error) {
	w := &watcher{journal: j, opts: apply(registry.WatchOptions{Context: context.Background()}, opts), nodes: map[string]line{}}
	if w.opts.Service != "" && bad(w.opts.Service) {
		return nil, fmt.Errorf("watch %q: no service has such a name", w.opts.Service)
	}
	w.ctx, w.stop = context.WithCancel(w.opts.Context)
	err := w.read()
	w.pending = nil
	return w, err
}

func (l line) service() (s *registry.Service) {
	_ = json.Unmarshal(l.Value, &s) // what write has made
	return s
}

// bad reports whether a name would spoil a path, or a line that shows it.
func bad(name string) bool {
	return slices.Contains([]string{"", ".", "..", "/"}, name) || strings.TrimSpace(name) != name ||
		!utf8.ValidString(name) || strings.ContainsFunc(name, func(c rune) bool { return unicode.In(c, unicode.C) })
}

// watcher has read the journal up to a place, and goes on from there.
type watcher struct {
	journal *journal
	opts    registry.WatchOptions
	ctx     context.Context
	stop    func()
	at      int
	nodes   map[string]line
	pending []*registry.Result
}

func (w *watcher) Stop() { w.stop() }

func (w *watcher) Next() (*registry.Result, error) {
	for len(w.pending) == 0 {
		select {
		case <-w.ctx.Done():
			return nil, registry.ErrWatcherStopped
		case <-time.After(20 * time.Millisecond):
			if err := w.read(); err != nil {
				return nil, err
			}
		}
	}
	next := w.pending[0]
	w.pending = w.pending[1:]
	return next, nil
}

// read reads on to the last whole line, and looks for what has ended meanwhile.
func (w *watcher) read() error {
	text, err := os.ReadFile(strings.Join(w.journal.Options().Addrs, ","))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	for text := range bytes.Lines(text[w.at : bytes.LastIndexByte(text, '\n')+1]) {
		var l line
		if err := json.Unmarshal(text, &l); err != nil {
			return fmt.Errorf("read the journal: %w", err)
		}
		w.at += len(text)
		w.set(l)
	}
	for _, l := range w.nodes {
		w.set(l)
	}
	return nil
}

// set takes in a line, which may have ended, and notes what that changes.
func (w *watcher) set(l line) {
	key, action := l.Service+"\x00"+l.Node, registry.Update
	was, is := w.nodes[key].Value, l.Value
	w.nodes[key] = l
	if !l.Ends.After(time.Now()) {
		is, action = nil, registry.Delete
		delete(w.nodes, key)
	} else if was == nil {
		action = registry.Create
	}
	if !bytes.Equal(was, is) && (w.opts.Service == "" || w.opts.Service == l.Service) {
		w.pending = append(w.pending, &registry.Result{Action: action.String(), Service: l.service()})
	}
}

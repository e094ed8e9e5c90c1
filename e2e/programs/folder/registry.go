// Package folder is a registry that keeps one file a node in a directory, its
// only address. It is written from the interface alone, as somebody would who
// has a directory of another kind: a node whose time to live passes is gone.
package folder

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/rollcall-go/micro/registry"
)

// entry is what a file holds.
type entry struct {
	Expires time.Time // zero means never
	Service *registry.Service
}

type folder struct {
	mu   sync.Mutex
	opts registry.Options
}

var _ registry.Registry = (*folder)(nil)

// NewRegistry returns a registry in the directory that registry.Addrs names.
func NewRegistry(opts ...registry.Option) registry.Registry {
	f := &folder{}
	for _, o := range opts {
		o(&f.opts)
	}
	return f
}

func (f *folder) Init(opts ...registry.Option) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, o := range opts {
		o(&f.opts)
	}
	return nil
}

func (f *folder) Options() registry.Options {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.opts
}

func (f *folder) String() string { return "folder" }

func (f *folder) dir() (string, error) {
	addrs := f.Options().Addrs
	if len(addrs) != 1 {
		return "", fmt.Errorf("use a folder as registry: got %d addresses, want one directory", len(addrs))
	}
	return addrs[0], nil
}

func file(dir, service, node string) string {
	return filepath.Join(dir, url.PathEscape(service)+"+"+url.PathEscape(node)+".json")
}

func (f *folder) Register(s *registry.Service, opts ...registry.RegisterOption) error {
	dir, err := f.dir()
	if err != nil {
		return err
	}
	var o registry.RegisterOptions
	for _, opt := range opts {
		opt(&o)
	}
	for _, n := range s.Nodes {
		one := *s
		one.Nodes = []*registry.Node{n}
		e := entry{Service: &one}
		if o.TTL > 0 {
			e.Expires = time.Now().Add(o.TTL)
		}
		b, err := json.Marshal(e)
		if err != nil {
			return err
		}
		name := file(dir, s.Name, n.Id)
		if err := os.WriteFile(name+".new", b, 0o600); err != nil {
			return err
		}
		if err := os.Rename(name+".new", name); err != nil {
			return err
		}
	}
	return nil
}

func (f *folder) Deregister(s *registry.Service, _ ...registry.DeregisterOption) error {
	dir, err := f.dir()
	if err != nil {
		return err
	}
	for _, n := range s.Nodes {
		if err := os.Remove(file(dir, s.Name, n.Id)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

func (f *folder) GetService(name string, _ ...registry.GetOption) ([]*registry.Service, error) {
	all, err := f.ListServices()
	if err != nil {
		return nil, err
	}
	all = slices.DeleteFunc(all, func(s *registry.Service) bool { return s.Name != name })
	if len(all) == 0 {
		return nil, registry.ErrNotFound
	}
	return all, nil
}

func (f *folder) ListServices(...registry.ListOption) ([]*registry.Service, error) {
	nodes, err := f.read()
	if err != nil {
		return nil, err
	}
	services := []*registry.Service{}
	for _, s := range nodes {
		i := slices.IndexFunc(services, func(o *registry.Service) bool { return o.Name == s.Name && o.Version == s.Version })
		if i < 0 {
			services = append(services, s)
		} else {
			services[i].Nodes = append(services[i].Nodes, s.Nodes...)
		}
	}
	slices.SortStableFunc(services, func(a, b *registry.Service) int { return strings.Compare(a.Name, b.Name) })
	return services, nil
}

// read returns every node that has not expired, as a service of its own.
func (f *folder) read() ([]*registry.Service, error) {
	dir, err := f.dir()
	if err != nil {
		return nil, err
	}
	names, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil {
		return nil, err
	}
	var nodes []*registry.Service
	for _, name := range names {
		b, err := os.ReadFile(name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		var e entry
		if err == nil {
			err = json.Unmarshal(b, &e)
		}
		if err != nil {
			return nil, fmt.Errorf("read %q: %w", name, err)
		}
		if e.Expires.IsZero() || time.Now().Before(e.Expires) {
			nodes = append(nodes, e.Service)
		}
	}
	return nodes, nil
}

// Package multi is one registry made of several, its members: what is registered is
// registered in all of them, and what is found is what any of them has. It is for a
// fleet that moves from one kind of registry to another.
package multi

import (
	"errors"

	"github.com/rollcall-go/micro/registry"
)

// NewRegistry returns a registry of the members, which belong to it from then on: its
// Close closes them.
func NewRegistry(members ...registry.Registry) registry.Registry { return &multi{members: members} }

type multi struct{ members []registry.Registry }

var errUnfinished = errors.New("several registries at once do not work yet")

func (m *multi) Init(...registry.Option) error { return nil }

func (m *multi) Options() registry.Options { return registry.Options{} }

func (m *multi) Register(*registry.Service, ...registry.RegisterOption) error { return errUnfinished }

func (m *multi) Deregister(*registry.Service, ...registry.DeregisterOption) error {
	return errUnfinished
}

func (m *multi) GetService(string, ...registry.GetOption) ([]*registry.Service, error) {
	return nil, errUnfinished
}

func (m *multi) ListServices(...registry.ListOption) ([]*registry.Service, error) {
	return nil, errUnfinished
}

func (m *multi) Watch(...registry.WatchOption) (registry.Watcher, error) { return nil, errUnfinished }

// String returns "multi".
func (m *multi) String() string { return "multi" }

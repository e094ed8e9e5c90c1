// Package scope has what go-micro v2's util/scope has: a part of a store. It is frozen:
// new code takes a table of the store, as with store.Table.
package scope

import "github.com/rollcall-go/micro/store"

// Scope is the part of a store whose keys begin with a prefix and a slash. Keys are
// given without the prefix and come back with it, as they did in v2.
type Scope struct {
	store.Store
	prefix string
}

// NewScope returns the part of s with the prefix.
func NewScope(s store.Store, prefix string) Scope { return Scope{Store: s, prefix: prefix} }

func (s *Scope) key(key string) string { return s.prefix + "/" + key }

// Options returns the options of the store, Table being the prefix.
func (s *Scope) Options() store.Options {
	o := s.Store.Options()
	o.Table = s.prefix
	return o
}

// Read reads within the scope.
func (s *Scope) Read(key string, opts ...store.ReadOption) ([]*store.Record, error) {
	return s.Store.Read(s.key(key), opts...)
}

// Write writes r within the scope. It leaves r as it is.
func (s *Scope) Write(r *store.Record, opts ...store.WriteOption) error {
	inside := *r
	inside.Key = s.key(r.Key)
	return s.Store.Write(&inside, opts...)
}

// Delete deletes within the scope.
func (s *Scope) Delete(key string, opts ...store.DeleteOption) error {
	return s.Store.Delete(s.key(key), opts...)
}

// List lists the keys of the scope.
func (s *Scope) List(opts ...store.ListOption) ([]string, error) {
	var o store.ListOptions
	for _, opt := range opts {
		opt(&o)
	}
	return s.Store.List(append(opts[:len(opts):len(opts)], store.ListPrefix(s.key(o.Prefix)))...)
}

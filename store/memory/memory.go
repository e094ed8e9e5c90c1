// Package memory is a store in this process: for tests, and for what may be lost when the
// process ends.
package memory

import (
	"bytes"
	"fmt"
	"maps"
	"sync"
	"time"

	"github.com/rollcall-go/micro/internal/defaults"
	"github.com/rollcall-go/micro/internal/storage"
	"github.com/rollcall-go/micro/store"
)

// memory starts no goroutine. Records that have ended are looked for once half of what is
// kept was written since the last time: so a write costs little on the average, and at most
// about as many are kept beyond their end as there are others.
type memory struct {
	mu      sync.RWMutex
	options store.Options
	tables  map[storage.Scope]map[string]record
	written int64 // versions, one for each write
	unswept int   // writes since records that have ended were looked for
	count   int   // records
}

type record struct {
	value    []byte
	metadata map[string]any
	ends     time.Time // zero: never
	version  int64
}

var _ store.Versioned = (*memory)(nil)

var _ = defaults.Store.Set(NewStore)

// NewStore returns an empty store. Close empties it again; it can be used after that.
func NewStore(opts ...store.Option) store.Store {
	m := &memory{
		options: store.Options{Database: storage.DefaultName, Table: storage.DefaultName},
		tables:  make(map[storage.Scope]map[string]record),
	}
	_ = m.Init(opts...) // nothing in it can fail
	return m
}

func (m *memory) Init(opts ...store.Option) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, o := range opts {
		o(&m.options)
	}
	return nil
}

func (m *memory) Options() store.Options {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.options
}

func (m *memory) Read(key string, opts ...store.ReadOption) ([]*store.Record, error) {
	var o store.ReadOptions
	for _, opt := range opts {
		opt(&o)
	}
	match, several := storage.OfRead(key, o)
	if !several {
		r, _, err := m.read(key, o)
		if err != nil {
			return nil, err
		}
		return []*store.Record{r}, nil
	}
	m.mu.RLock()
	defer m.mu.RUnlock()
	now := time.Now()
	table := m.tables[storage.ScopeOf(m.options, o.Database, o.Table)]
	keys := match.Of(there(table, now))
	records := make([]*store.Record, 0, len(keys))
	for _, k := range keys {
		records = append(records, table[k].copy(k, now))
	}
	return records, nil
}

func (m *memory) ReadVersion(key string, opts ...store.ReadOption) (*store.Record, int64, error) {
	var o store.ReadOptions
	for _, opt := range opts {
		opt(&o)
	}
	if o.Prefix || o.Suffix {
		return nil, 0, storage.NoVersion(key)
	}
	return m.read(key, o)
}

func (m *memory) read(key string, o store.ReadOptions) (*store.Record, int64, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	now := time.Now()
	r, ok := m.tables[storage.ScopeOf(m.options, o.Database, o.Table)][key]
	if !ok || r.ended(now) {
		return nil, 0, store.ErrNotFound
	}
	return r.copy(key, now), r.version, nil
}

func (m *memory) Write(r *store.Record, opts ...store.WriteOption) error {
	_, err := m.write(r, nil, opts)
	return err
}

func (m *memory) WriteVersion(r *store.Record, version int64, opts ...store.WriteOption) (int64, error) {
	return m.write(r, &version, opts)
}

// write writes a record, over the version that is wanted if that is not nil.
func (m *memory) write(r *store.Record, wanted *int64, opts []store.WriteOption) (int64, error) {
	var o store.WriteOptions
	for _, opt := range opts {
		opt(&o)
	}
	if err := storage.Check(r); err != nil {
		return 0, err
	}
	now := time.Now()
	lifetime, err := storage.Lifetime(r, o, now)
	if err != nil {
		return 0, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	scope := storage.ScopeOf(m.options, o.Database, o.Table)
	if err := m.check("write", scope, r.Key, wanted, now); err != nil {
		return 0, err
	}
	m.written++
	written := record{value: bytes.Clone(r.Value), metadata: maps.Clone(r.Metadata), version: m.written}
	if lifetime > 0 {
		written.ends = now.Add(lifetime)
	}
	table := m.tables[scope]
	if table == nil {
		table = make(map[string]record)
		m.tables[scope] = table
	}
	if _, ok := table[r.Key]; !ok {
		m.count++
	}
	table[r.Key] = written
	if m.unswept++; 2*m.unswept >= m.count {
		m.sweep(now)
	}
	return written.version, nil
}

func (m *memory) Delete(key string, opts ...store.DeleteOption) error {
	return m.delete(key, nil, opts)
}

func (m *memory) DeleteVersion(key string, version int64, opts ...store.DeleteOption) error {
	return m.delete(key, &version, opts)
}

func (m *memory) delete(key string, wanted *int64, opts []store.DeleteOption) error {
	var o store.DeleteOptions
	for _, opt := range opts {
		opt(&o)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	scope := storage.ScopeOf(m.options, o.Database, o.Table)
	if err := m.check("delete", scope, key, wanted, time.Now()); err != nil {
		return err
	}
	m.remove(scope, key)
	return nil
}

// check returns why the record of a key is not of the version that is wanted.
func (m *memory) check(doing string, scope storage.Scope, key string, wanted *int64, now time.Time) error {
	if wanted == nil {
		return nil
	}
	there := int64(0)
	if r, ok := m.tables[scope][key]; ok && !r.ended(now) {
		there = r.version
	}
	if there != *wanted {
		return fmt.Errorf("%s version %d of record %q: %w", doing, *wanted, key, store.ErrConflict)
	}
	return nil
}

func (m *memory) List(opts ...store.ListOption) ([]string, error) {
	var o store.ListOptions
	for _, opt := range opts {
		opt(&o)
	}
	m.mu.RLock()
	defer m.mu.RUnlock()
	table := m.tables[storage.ScopeOf(m.options, o.Database, o.Table)]
	match := storage.Match{Prefix: o.Prefix, Suffix: o.Suffix, Limit: o.Limit, Offset: o.Offset}
	return match.Of(there(table, time.Now())), nil
}

func (m *memory) Close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	clear(m.tables)
	m.count, m.unswept = 0, 0
	return nil
}

func (m *memory) String() string { return "memory" }

// sweep removes the records that have ended.
func (m *memory) sweep(now time.Time) {
	m.unswept = 0
	for scope, table := range m.tables {
		for key, r := range table {
			if r.ended(now) {
				m.remove(scope, key)
			}
		}
	}
}

// remove removes a record, and its table with the last one.
func (m *memory) remove(scope storage.Scope, key string) {
	table := m.tables[scope]
	if _, ok := table[key]; !ok {
		return
	}
	m.count--
	if delete(table, key); len(table) == 0 {
		delete(m.tables, scope)
	}
}

// there returns the keys of the records that have not ended, in no order.
func there(table map[string]record, now time.Time) []string {
	keys := make([]string, 0, len(table))
	for key, r := range table {
		if !r.ended(now) {
			keys = append(keys, key)
		}
	}
	return keys
}

func (r record) ended(now time.Time) bool { return !r.ends.IsZero() && !now.Before(r.ends) }

// copy returns what the owner of the record may change.
func (r record) copy(key string, now time.Time) *store.Record {
	c := &store.Record{Key: key, Value: bytes.Clone(r.value), Metadata: maps.Clone(r.metadata)}
	if !r.ends.IsZero() {
		c.Expiry = r.ends.Sub(now)
	}
	return c
}

// Package storage is what every implementation of store does in the same way: which
// records an operation means, and how long a written one is there.
package storage

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/rollcall-go/micro/store"
)

// DefaultName is the database and the table of a store that was told no other.
const DefaultName = "micro"

// Scope is a table of a database.
type Scope struct {
	Database, Table string
}

// ScopeOf returns the scope of an operation on a store with the options o, which names
// the given database and table, empty for those of the store.
func ScopeOf(o store.Options, database, table string) Scope {
	s := Scope{o.Database, o.Table}
	if database != "" {
		s.Database = database
	}
	if table != "" {
		s.Table = table
	}
	return s
}

// Match says which keys are meant: of those that begin and end so, in their order, Limit,
// 0 for all, after the first Offset.
type Match struct {
	Prefix, Suffix string
	Limit, Offset  uint
}

// OfRead returns what a Read of key means, false if it is that key alone.
func OfRead(key string, o store.ReadOptions) (Match, bool) {
	m := Match{Limit: o.Limit, Offset: o.Offset}
	if o.Prefix {
		m.Prefix = key
	}
	if o.Suffix {
		m.Suffix = key
	}
	return m, o.Prefix || o.Suffix
}

// Of returns those of keys that are meant. It sorts keys and returns a part of them.
func (m Match) Of(keys []string) []string {
	keys = slices.DeleteFunc(keys, func(k string) bool { return !m.Fits(k) })
	slices.Sort(keys)
	return Page(keys, m)
}

// Fits reports whether a key begins and ends as is meant.
func (m Match) Fits(key string) bool {
	return strings.HasPrefix(key, m.Prefix) && strings.HasSuffix(key, m.Suffix)
}

// Page returns what of all, which fit and are in order, is meant.
func Page[T any](all []T, m Match) []T {
	all = all[min(m.Offset, uint(len(all))):]
	if m.Limit > 0 {
		all = all[:min(m.Limit, uint(len(all)))]
	}
	return all
}

// Check returns why a record cannot be written.
func Check(r *store.Record) error {
	switch {
	case r == nil:
		return errors.New("write a record: there is none")
	case r.Key == "":
		return errors.New("write a record: it has no key")
	}
	return nil
}

// Lifetime returns how long a record is there from now on, 0 for ever. It returns an error
// for one that would have ended already.
func Lifetime(r *store.Record, o store.WriteOptions, now time.Time) (time.Duration, error) {
	d := r.Expiry
	switch {
	case o.TTL != 0:
		d = o.TTL
	case !o.Expiry.IsZero():
		if d = o.Expiry.Sub(now); d <= 0 {
			return 0, fmt.Errorf("write record %q: it would have ended at %s already", r.Key, o.Expiry.Format(time.RFC3339))
		}
	}
	if d < 0 {
		return 0, fmt.Errorf("write record %q: it would be there for %v", r.Key, d)
	}
	return d, nil
}

// NoVersion says why there is no version of what begins or ends with a key.
func NoVersion(key string) error {
	return fmt.Errorf("read the version of %q: a record has one, not all that begin or end so", key)
}

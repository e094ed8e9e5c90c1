// Package store keeps records under keys, for programs that want little more than to find
// them again.
package store

import (
	"errors"
	"time"
)

var (
	// ErrNotFound is returned, wrapped or as it is, by Read for a key that is not there.
	ErrNotFound = errors.New("not found")
	// ErrConflict is returned, wrapped, by a write of a version of a record that is no
	// longer, or not yet, the one that is there.
	ErrConflict = errors.New("the record was changed in the meantime")
)

// Store keeps records. The same key in another database or table is another record. Its
// methods may be called by several goroutines at once. What they are given and what they
// return belongs to the caller.
type Store interface {
	// Init applies options. What was stored under the former ones is left alone.
	Init(...Option) error
	// Options returns the options in force.
	Options() Options
	// Read returns the record of a key, or ErrNotFound. With ReadPrefix or ReadSuffix it
	// returns all that match, in the order of their keys; none is no error.
	Read(key string, opts ...ReadOption) ([]*Record, error)
	// Write puts a record in the place of what was there.
	Write(r *Record, opts ...WriteOption) error
	// Delete removes a record. One that is not there is no error.
	Delete(key string, opts ...DeleteOption) error
	// List returns the keys that match, in their order.
	List(opts ...ListOption) ([]string, error)
	// Close ends the use of the store.
	Close() error
	// String returns the name of the implementation.
	String() string
}

// Record is what is stored under a key.
type Record struct {
	Key   string `json:"key"`
	Value []byte `json:"value"`
	// Metadata says something about the value. Stores outside the process write it as JSON:
	// numbers come back as float64.
	Metadata map[string]any `json:"metadata"`
	// Expiry is how long the record is still there. 0 means for ever.
	Expiry time.Duration `json:"expiry,omitempty"`
}

// Versioned is a Store whose records have versions, so that none is written over that its
// writer has not seen. A Store that can do it is found by assertion.
type Versioned interface {
	Store
	// ReadVersion returns the record of a key and its version, which is above 0 and another
	// one after each write; or ErrNotFound and 0.
	ReadVersion(key string, opts ...ReadOption) (*Record, int64, error)
	// WriteVersion writes as Write does and returns the new version, if the record there is
	// of the given version, or for 0 if there is none. Otherwise it writes nothing and
	// returns ErrConflict.
	WriteVersion(r *Record, version int64, opts ...WriteOption) (int64, error)
	// DeleteVersion deletes the record if it is of the given version. Otherwise it deletes
	// nothing and returns ErrConflict.
	DeleteVersion(key string, version int64, opts ...DeleteOption) error
}

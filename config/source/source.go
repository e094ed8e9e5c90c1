// Package source is the contract of what configuration comes from. It depends on no
// implementation, so that anybody can write one.
package source

import (
	"crypto/md5" //nolint:gosec // a checksum that tells versions apart, as in go-micro v2; it guards nothing
	"encoding/hex"
	"errors"
	"time"
)

// ErrWatcherStopped is returned by Next of a Watcher that was stopped.
var ErrWatcherStopped = errors.New("watcher stopped")

// ErrReadOnly is returned by Write of sources that cannot be written to.
var ErrReadOnly = errors.New("the source cannot be written to")

// Source is where configuration comes from. A Source may be used by several
// goroutines at once.
type Source interface {
	// Read returns what the source holds now. It returns within a bounded time.
	Read() (*ChangeSet, error)
	// Write replaces what the source holds. A source that cannot do that returns an
	// error.
	Write(*ChangeSet) error
	// Watch returns a Watcher that tells every state of the source that comes after
	// this call, or the newest of them. It does not block.
	Watch() (Watcher, error)
	// String names the kind of source.
	String() string
}

// ChangeSet is all that a source holds at one moment. It must not be modified once
// it was handed over.
type ChangeSet struct {
	// Data is the configuration as text.
	Data []byte
	// Checksum is what Sum returned.
	Checksum string
	// Format is the name of the encoder that reads Data.
	Format string
	// Source names the kind of source.
	Source string
	// Timestamp is when the source held Data.
	Timestamp time.Time
}

// Sum returns the MD5 of Data in lower-case hexadecimal. It tells versions apart and
// protects nothing.
func (c *ChangeSet) Sum() string {
	sum := md5.Sum(c.Data) //nolint:gosec // see above
	return hex.EncodeToString(sum[:])
}

// Watcher tells what becomes of a source.
type Watcher interface {
	// Next blocks until the source changed and returns what it holds now. An error
	// says that this Watcher is over; after Stop it is ErrWatcherStopped.
	Next() (*ChangeSet, error)
	// Stop ends the Watcher and releases what it holds. Next returns. It may be called
	// more than once.
	Stop() error
}

package store

import (
	"context"
	"time"

	"github.com/rollcall-go/micro/client"
)

// Options are the settings of a Store.
type Options struct {
	// Nodes are the addresses of the servers that keep the records.
	Nodes []string
	// Database and Table are those of every operation that does not say another.
	Database, Table string
	// Context holds options of one implementation.
	Context context.Context
	// Client calls a service that keeps the records, for implementations that do so.
	Client client.Client
}

// Option changes Options.
type Option func(o *Options)

// Nodes sets the addresses of the servers.
func Nodes(a ...string) Option { return func(o *Options) { o.Nodes = a } }

// Database sets the database of operations that name none.
func Database(db string) Option { return func(o *Options) { o.Database = db } }

// Table sets the table of operations that name none.
func Table(t string) Option { return func(o *Options) { o.Table = t } }

// WithContext sets the context with the options of one implementation.
func WithContext(c context.Context) Option { return func(o *Options) { o.Context = c } }

// WithClient sets the client for implementations that call a service.
func WithClient(c client.Client) Option { return func(o *Options) { o.Client = c } }

// ReadOptions are those of one Read. Limit and Offset count the records that match, in
// the order of their keys; a Limit of 0 is none.
type ReadOptions struct {
	Database, Table string
	Prefix          bool // every key that begins with the given one
	Suffix          bool // every key that ends with the given one
	Limit           uint
	Offset          uint
}

// ReadOption changes ReadOptions.
type ReadOption func(r *ReadOptions)

// ReadFrom reads from another database and table.
func ReadFrom(database, table string) ReadOption {
	return func(r *ReadOptions) { r.Database, r.Table = database, table }
}

// ReadPrefix reads all records whose keys begin with the given one.
func ReadPrefix() ReadOption { return func(r *ReadOptions) { r.Prefix = true } }

// ReadSuffix reads all records whose keys end with the given one.
func ReadSuffix() ReadOption { return func(r *ReadOptions) { r.Suffix = true } }

// ReadLimit reads at most l records.
func ReadLimit(l uint) ReadOption { return func(r *ReadOptions) { r.Limit = l } }

// ReadOffset leaves the first o records out.
func ReadOffset(o uint) ReadOption { return func(r *ReadOptions) { r.Offset = o } }

// WriteOptions are those of one Write. TTL goes before Expiry, and both go before the
// Expiry of the record.
type WriteOptions struct {
	Database, Table string
	Expiry          time.Time     // when the record ends
	TTL             time.Duration // how long the record is there
}

// WriteOption changes WriteOptions.
type WriteOption func(w *WriteOptions)

// WriteTo writes to another database and table.
func WriteTo(database, table string) WriteOption {
	return func(w *WriteOptions) { w.Database, w.Table = database, table }
}

// WriteExpiry says when the record ends.
func WriteExpiry(t time.Time) WriteOption { return func(w *WriteOptions) { w.Expiry = t } }

// WriteTTL says how long the record is there.
func WriteTTL(d time.Duration) WriteOption { return func(w *WriteOptions) { w.TTL = d } }

// DeleteOptions are those of one Delete.
type DeleteOptions struct {
	Database, Table string
}

// DeleteOption changes DeleteOptions.
type DeleteOption func(d *DeleteOptions)

// DeleteFrom deletes from another database and table.
func DeleteFrom(database, table string) DeleteOption {
	return func(d *DeleteOptions) { d.Database, d.Table = database, table }
}

// ListOptions are those of one List. Limit and Offset count the keys that match; a Limit
// of 0 is none.
type ListOptions struct {
	Database, Table string
	Prefix, Suffix  string // with which the keys begin and end
	Limit           uint
	Offset          uint
}

// ListOption changes ListOptions.
type ListOption func(l *ListOptions)

// ListFrom lists another database and table.
func ListFrom(database, table string) ListOption {
	return func(l *ListOptions) { l.Database, l.Table = database, table }
}

// ListPrefix lists the keys that begin with p.
func ListPrefix(p string) ListOption { return func(l *ListOptions) { l.Prefix = p } }

// ListSuffix lists the keys that end with s.
func ListSuffix(s string) ListOption { return func(l *ListOptions) { l.Suffix = s } }

// ListLimit lists at most l keys.
func ListLimit(l uint) ListOption { return func(lo *ListOptions) { lo.Limit = l } }

// ListOffset leaves the first o keys out.
func ListOffset(o uint) ListOption { return func(l *ListOptions) { l.Offset = o } }

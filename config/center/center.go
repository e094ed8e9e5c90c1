// Package center operates configuration in etcd: it writes values where every service
// reads them, go-micro v2's too, keeps a history of who changed what, and brings an
// earlier state back.
//
// What is written together is one Release: one transaction of etcd that has the values
// and a record of what they were before, so that neither is there without the other. The
// record is a key of its own, which stays when etcd forgets old revisions. Values are
// written over those that were read and over no others.
//
// A value written past the Center, as etcdctl and tools of v2 do, shows in the History
// as Foreign.
package center

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/rollcall-go/micro/internal/ability"
	"github.com/rollcall-go/micro/internal/defaults"
	"github.com/rollcall-go/micro/internal/etcd"
	"github.com/rollcall-go/micro/internal/etcd/layout"
	"github.com/rollcall-go/micro/registry"
)

// Errors that are found by errors.Is.
var (
	ErrNotFound  = errors.New("there is no such key")
	ErrNoRelease = errors.New("there is no such release in the history")
	ErrNoChange  = errors.New("nothing would change")
	// ErrUncertain says that etcd did not answer when a release was made. It may be there
	// as a whole, or not at all; the History tells.
	ErrUncertain = errors.New("it is not known whether the release was made")
)

// Center operates the configuration of one namespace. Its methods may be called by
// several goroutines at once, end with their context, and return errors that name what
// was done and etcd's addresses.
type Center struct {
	etcd    connected
	keep    int
	keepFor time.Duration
	checks  []func(context.Context, *Preview) error
}

// connected is the registry in etcd.
type connected interface {
	Conn() *etcd.Conn
	Layout() layout.Layout
}

// Option changes how a Center works.
type Option func(*Center)

// Keep makes each release remove all but the newest n records, by default 500.
func Keep(n int) Option { return func(c *Center) { c.keep = n } }

// KeepFor makes each release remove the records that are older than d, by default none. How
// old they are the clock of this machine says, and of those who wrote them. So that a wrong
// one, or a long time without releases, does not take the way back, the newest ten stay.
func KeepFor(d time.Duration) Option { return func(c *Center) { c.keepFor = d } }

// Checked makes each release, also a planned one, ask f about what there would be after
// it, before anything is written: it is refused with the error of f. Several are asked
// in their order.
func Checked(f func(context.Context, *Preview) error) Option {
	return func(c *Center) { c.checks = append(c.checks, f) }
}

// New returns the Center that works over the connection of a registry in etcd, in its
// namespace. The registry stays the caller's. New does no I/O.
func New(r registry.Registry, opts ...Option) (*Center, error) {
	shared, ok := ability.As[connected](r)
	if !ok {
		return nil, fmt.Errorf("operate configuration: %v is not in etcd, and configuration is operated there alone: use the registry etcd", r)
	}
	c := &Center{etcd: shared, keep: defaults.ConfigHistory}
	for _, option := range opts {
		option(c)
	}
	if c.keep < 1 || c.keepFor < 0 {
		return nil, fmt.Errorf("operate configuration: keep %d releases for %v: at least one has to stay", c.keep, c.keepFor)
	}
	return c, nil
}

// Entry is a key with its value. Keys are what stands behind /micro/config/, as in
// "database/port".
type Entry struct {
	Kind     Kind   `json:"kind,omitempty"`
	Key      string `json:"key"`
	Value    string `json:"value"`
	Revision int64  `json:"revision"` // of etcd, at which it was written
}

// Get returns one value, or ErrNotFound.
func (c *Center) Get(ctx context.Context, key string) (Entry, error) {
	return c.GetOf(ctx, KindValue, key)
}

// GetOf is Get for any kind.
func (c *Center) GetOf(ctx context.Context, kind Kind, key string) (Entry, error) {
	i := item{kind, key}
	doing := fmt.Sprintf("read %s", i)
	kvs, _, err := c.etcd.Conn().Read(ctx, doing, etcd.Range{From: c.place(i)})
	if err != nil {
		return Entry{}, err
	}
	if len(kvs) == 0 {
		return Entry{}, fmt.Errorf("%s: %w", doing, ErrNotFound)
	}
	return Entry{kind, key, string(kvs[0].Value), kvs[0].Written}, nil
}

// Entries returns the values of keys, as of one revision. Those that are not there are
// left out.
func (c *Center) Entries(ctx context.Context, keys ...string) ([]Entry, error) {
	var ranges []etcd.Range
	for _, key := range keys {
		ranges = append(ranges, etcd.Range{From: c.place(item{KindValue, key})})
	}
	return c.entries(ctx, KindValue, "read keys", ranges)
}

// List returns the value of the key under and all below it, every value if it is empty,
// in the order of the keys.
func (c *Center) List(ctx context.Context, under string) ([]Entry, error) {
	return c.ListOf(ctx, KindValue, under)
}

// ListOf is List for any kind.
func (c *Center) ListOf(ctx context.Context, kind Kind, under string) ([]Entry, error) {
	return c.entries(ctx, kind, "list "+region(kind, under), c.below(kind, under))
}

func (c *Center) entries(ctx context.Context, kind Kind, doing string, ranges []etcd.Range) (all []Entry, err error) {
	found, _, err := c.etcd.Conn().ReadAll(ctx, doing, 0, ranges...)
	if err != nil {
		return nil, err
	}
	for _, kv := range slices.Concat(found...) {
		all = append(all, Entry{kind, strings.TrimPrefix(kv.Key, c.prefix(kind)), string(kv.Value), kv.Written})
	}
	return all, nil
}

// below returns the ranges of a key of a kind and of all below it, in their order.
func (c *Center) below(kind Kind, under string) []etcd.Range {
	place := c.place(item{kind, under})
	if under == "" {
		return []etcd.Range{etcd.Below(place)}
	}
	return []etcd.Range{{From: place}, etcd.Below(place + "/")}
}

// Within reports whether key is under or lies below it. Every key lies below "".
func Within(key, under string) bool {
	rest, ok := strings.CutPrefix(key, under)
	return ok && (under == "" || rest == "" || rest[0] == '/')
}

// state is what there is at one revision.
type state struct {
	revision int64
	items    map[item]etcd.KV
}

// entry returns an item, one without a Revision if it is not there.
func (s state) entry(i item) Entry {
	kv := s.items[i]
	return Entry{i.kind, i.key, string(kv.Value), kv.Written}
}

// text returns the text of an item, nil if it is not there.
func (s state) text(i item) *string {
	kv, ok := s.items[i]
	if !ok {
		return nil
	}
	text := string(kv.Value)
	return &text
}

// read returns everything of some kinds as of a revision, 0 for now.
func (c *Center) read(ctx context.Context, revision int64, kinds ...Kind) (state, error) {
	s := state{revision, make(map[item]etcd.KV)}
	for _, kind := range kinds {
		prefix := c.prefix(kind)
		r := etcd.Below(prefix)
		r.Revision = s.revision
		kvs, revision, err := c.etcd.Conn().Read(ctx, "read the configuration", r)
		if err != nil {
			return state{}, err
		}
		s.revision = revision
		for _, kv := range kvs {
			s.items[item{kind, strings.TrimPrefix(kv.Key, prefix)}] = kv
		}
	}
	return s, nil
}

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
	"maps"
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

// KeepFor makes each release remove the records that are older than d, by default none.
func KeepFor(d time.Duration) Option { return func(c *Center) { c.keepFor = d } }

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
	Key      string `json:"key"`
	Value    string `json:"value"`
	Revision int64  `json:"revision"` // of etcd, at which it was written
}

// Get returns one key, or ErrNotFound.
func (c *Center) Get(ctx context.Context, key string) (Entry, error) {
	doing := fmt.Sprintf("read %q", key)
	if err := checkKey(key); err != nil {
		return Entry{}, fmt.Errorf("%s: %w", doing, err)
	}
	kvs, _, err := c.etcd.Conn().Read(ctx, doing, etcd.Range{From: c.etcd.Layout().Config() + key})
	if err != nil {
		return Entry{}, err
	}
	if len(kvs) == 0 {
		return Entry{}, fmt.Errorf("%s: %w", doing, ErrNotFound)
	}
	return Entry{key, string(kvs[0].Value), kvs[0].Written}, nil
}

// List returns the key under and all keys below it, every key if it is empty, in their
// order.
func (c *Center) List(ctx context.Context, under string) ([]Entry, error) {
	if under != "" {
		if err := checkKey(under); err != nil {
			return nil, fmt.Errorf("list %q: %w", under, err)
		}
	}
	s, err := c.read(ctx, 0)
	if err != nil {
		return nil, err
	}
	var all []Entry
	for _, key := range slices.Sorted(maps.Keys(s.values)) {
		if Within(key, under) {
			all = append(all, s.entry(key))
		}
	}
	return all, nil
}

// Within reports whether key is under or lies below it. Every key lies below "".
func Within(key, under string) bool {
	rest, ok := strings.CutPrefix(key, under)
	return ok && (under == "" || rest == "" || rest[0] == '/')
}

// state is the configuration at one revision.
type state struct {
	revision int64
	values   map[string]etcd.KV // by what stands behind the prefix
}

func (s state) entry(key string) Entry {
	kv := s.values[key]
	return Entry{key, string(kv.Value), kv.Written}
}

// text returns the value of a key, nil if there is none.
func (s state) text(key string) *string {
	kv, ok := s.values[key]
	if !ok {
		return nil
	}
	text := string(kv.Value)
	return &text
}

// read returns the configuration as of a revision, 0 for now.
func (c *Center) read(ctx context.Context, revision int64) (state, error) {
	prefix := c.etcd.Layout().Config()
	r := etcd.Below(prefix)
	r.Revision = revision
	kvs, revision, err := c.etcd.Conn().Read(ctx, "read the configuration", r)
	if err != nil {
		return state{}, err
	}
	s := state{revision, make(map[string]etcd.KV, len(kvs))}
	for _, kv := range kvs {
		s.values[strings.TrimPrefix(kv.Key, prefix)] = kv
	}
	return s, nil
}

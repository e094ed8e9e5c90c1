// Package mdns is the registry without a server: services find one another by
// multicast DNS, on this host and on the networks that it is directly on. It is the
// default of a program that chooses none.
//
// Records are go-micro v2's, in the domain "micro", so that services of both find one
// another. A node stays registered as long as its registry is open; a goodbye takes
// it out, and its TTL does if there was none. Nothing is routed, nobody is asked to log
// in, and whoever is on the network can register what he likes: where that is not
// wanted, use another registry.
//
// What is looked up once is followed from then on, so that later lookups are
// answered from memory. The first waits for answers: a little longer than the first
// one takes, or 1.25 s for a name that nobody answers for, and no longer than the
// caller's context.
//
// A record carries no metadata of the service, only that of the node, as in v2. Its
// address is IP:port. What its endpoints take and return is left out where the packet
// would exceed 1,400 bytes; a warning says so.
package mdns

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"github.com/rollcall-go/micro/internal/ability"
	"github.com/rollcall-go/micro/internal/defaults"
	"github.com/rollcall-go/micro/internal/feed"
	"github.com/rollcall-go/micro/internal/mdns"
	"github.com/rollcall-go/micro/internal/mdns/txt"
	"github.com/rollcall-go/micro/internal/record"
	"github.com/rollcall-go/micro/internal/settings"
	"github.com/rollcall-go/micro/logger"
	"github.com/rollcall-go/micro/registry"
)

// backend implements registry.Registry. Its engine starts with the first call that
// needs the network and ends with Close. Its own goroutines are one for each observer of
// a registration, until that stops or the registry is closed.
type backend struct {
	engine *mdns.Engine
	place  place

	mu   sync.Mutex
	opts registry.Options
}

var (
	_ registry.Registry            = (*backend)(nil)
	_ feed.Source                  = (*backend)(nil)
	_ ability.Renewer              = (*backend)(nil)
	_ ability.RegistrationObserver = (*backend)(nil)
	_ ability.NameLister           = (*backend)(nil)
	_ ability.Checker              = (*backend)(nil)
	_ io.Closer                    = (*backend)(nil)
)

// NewRegistry returns a registry on multicast DNS. It does no I/O and starts
// nothing before the first use; options that can never work are reported by every
// method. The value has the methods of io.Closer; close it when it is no longer
// needed.
func NewRegistry(opts ...registry.Option) registry.Registry {
	b := &backend{opts: registry.Options{
		Timeout: defaults.RegistryTimeout,
		Context: context.Background(), // carries values only
	}}
	for _, o := range opts {
		o(&b.opts)
	}
	b.place = placeOf(b.opts)
	b.engine = b.place.engine(func(text string) { logger.Logf(logger.WarnLevel, "Registry [mdns] %s", text) })
	return b
}

// Init applies options. The domain stays what it was made with.
func (b *backend) Init(opts ...registry.Option) error {
	if b.isClosed() {
		return fmt.Errorf("set the mdns registry up: %w", registry.ErrClosed)
	}
	b.mu.Lock()
	for _, o := range opts {
		o(&b.opts)
	}
	b.mu.Unlock()
	return b.Err()
}

// Options returns a copy of the options in force.
func (b *backend) Options() registry.Options {
	b.mu.Lock()
	defer b.mu.Unlock()
	o := b.opts
	o.Addrs = slices.Clone(o.Addrs)
	return o
}

// String returns "mdns".
func (b *backend) String() string { return "mdns" }

// Renews reports that a registration lasts as long as the registry is open.
func (b *backend) Renews() bool { return true }

// Stats returns what the registry has done since it was made, by the name of each
// count, for whoever exports them: packets_received, packets_malformed,
// packets_ignored, packets_flooded, packets_not_let_in, packets_sent, announcements,
// queries, answers_withheld, records_skipped, records_refused, records_expired,
// id_conflicts. Every count only grows. The map is the caller's.
func (b *backend) Stats() map[string]uint64 { return b.engine.Stats() }

// Err returns what makes the registry unusable for ever, nil if nothing does.
func (b *backend) Err() error {
	o := b.Options()
	if len(o.Addrs) > 0 {
		return fmt.Errorf("use addresses %q: the mdns registry has no server and takes none: leave the address out, or choose a registry that has one (--registry=etcd, --registry=consul)", o.Addrs)
	}
	if now := placeOf(o); now.domain != b.place.domain {
		return fmt.Errorf("use domain %q: this mdns registry is in domain %q already: give the domain to NewRegistry", now.domain, b.place.domain)
	}
	if err := txt.CheckDomain(b.place.domain); err != nil {
		return fmt.Errorf("use domain %q: %w", b.place.domain, err)
	}
	return nil
}

// Register makes every node of s known and keeps it known. Others hold what they heard
// of it for the TTL, at most 120 s, should this process end without a word.
func (b *backend) Register(s *registry.Service, opts ...registry.RegisterOption) error {
	if err := record.Check(s); err != nil {
		return fmt.Errorf("register: %w", err)
	}
	var o registry.RegisterOptions
	for _, opt := range opts {
		opt(&o)
	}
	if err := b.ready(o.Context); err != nil {
		return fmt.Errorf("register %q: %w", s.Name, err)
	}
	if err := b.engine.Publish(record.CopyService(s), o.TTL); err != nil {
		return fmt.Errorf("register %q: %w", s.Name, explain(err))
	}
	return nil
}

// Deregister says goodbye for the nodes of s that were registered here.
func (b *backend) Deregister(s *registry.Service, opts ...registry.DeregisterOption) error {
	if err := record.Check(s); err != nil {
		return fmt.Errorf("deregister: %w", err)
	}
	var o registry.DeregisterOptions
	for _, opt := range opts {
		opt(&o)
	}
	err := b.usable()
	if err == nil {
		// The nodes are given up in any case.
		err = cmp.Or(b.engine.Withdraw(s), settings.Ended(o.Context))
	}
	if err != nil {
		return fmt.Errorf("deregister %q: %w", s.Name, err)
	}
	return nil
}

// Close says goodbye for every node that is registered here, ends watches and closes
// the sockets. It may be called more than once.
func (b *backend) Close() error { return b.engine.Close() }

func (b *backend) isClosed() bool {
	select {
	case <-b.engine.Done():
		return true
	default:
		return false
	}
}

// usable returns why nothing can be done, nil if something can.
func (b *backend) usable() error {
	if b.isClosed() {
		return registry.ErrClosed
	}
	return b.Err()
}

// ready returns why nothing can be done for a caller, whose context may be nil.
func (b *backend) ready(ctx context.Context) error {
	return cmp.Or(b.usable(), settings.Ended(ctx))
}

// timeout returns the bound of one operation.
func (b *backend) timeout() time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.opts.Timeout > 0 {
		return b.opts.Timeout
	}
	return defaults.RegistryTimeout
}

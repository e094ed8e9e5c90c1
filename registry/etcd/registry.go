// Package etcd is the registry in etcd, version 3.
//
// Each node has a key, /micro/registry/<service>/<node> behind the Namespace, with the service and
// that node as JSON, bound to a lease: the layout of go-micro v2, so that
// services of both share one etcd. A registered node stays registered: the
// backend renews the lease by itself, and puts the record back if it vanishes,
// until the node is deregistered or the registry closed. If another process
// registers the same node, the newest wins and the older one steps aside.
//
// Reads are linearizable and answered by etcd alone, never from memory. No
// method takes longer than Options.Timeout.
package etcd

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rollcall-go/micro/internal/ability"
	"github.com/rollcall-go/micro/internal/credentials"
	"github.com/rollcall-go/micro/internal/defaults"
	"github.com/rollcall-go/micro/internal/etcd"
	"github.com/rollcall-go/micro/internal/etcd/claim"
	"github.com/rollcall-go/micro/internal/etcd/layout"
	"github.com/rollcall-go/micro/internal/feed"
	"github.com/rollcall-go/micro/internal/record"
	"github.com/rollcall-go/micro/internal/settings"
	"github.com/rollcall-go/micro/logger"
	"github.com/rollcall-go/micro/registry"
)

// backend implements registry.Registry. Its lifetime begins with the first call
// that needs etcd and ends with Close.
//
// Its goroutines: one for each Watcher, until that is stopped; one for each observer
// of a registration, until it stops observing; one for each failed registration that
// is taken back. The connection and the keeper of its claims have their own. Close
// ends all and waits for them.
type backend struct {
	ctx     context.Context // over when the registry is closed
	cancel  context.CancelFunc
	running sync.WaitGroup // what was started here under ctx
	skipped atomic.Int64   // records that could not be read

	initializing sync.Mutex // held throughout Init and Close

	mu            sync.Mutex
	opts          registry.Options
	link          *link
	registrations map[record.ID]*registration // made here, or observed
	slots         map[string]*registration    // those that are made here
	former        *link                       // the one that Init replaces, while it does
	past          etcd.Stats                  // of the connections before
}

// link is one connection for as long as its options are in force.
type link struct {
	layout layout.Layout // of the keys
	conn   *etcd.Conn
	keeper *claim.Keeper   // of the nodes registered over conn; ends with it
	ctx    context.Context // over when other options are in force
	end    context.CancelFunc
}

var (
	_ registry.Registry            = (*backend)(nil)
	_ feed.Source                  = (*backend)(nil)
	_ feed.Resolver                = (*backend)(nil)
	_ ability.Renewer              = (*backend)(nil)
	_ ability.RegistrationObserver = (*backend)(nil)
	_ ability.Checker              = (*backend)(nil)
	_ ability.Pauser               = (*backend)(nil)
	_ ability.NameLister           = (*backend)(nil)
	_ ability.Yielder              = (*backend)(nil)
	_ io.Closer                    = (*backend)(nil)
)

// NewRegistry returns a registry in the etcd at registry.Addrs, by default
// 127.0.0.1:2379. It does no I/O and starts nothing; a malformed address is
// reported by every method. The value has the methods of io.Closer; close it when
// it is no longer needed.
func NewRegistry(opts ...registry.Option) registry.Registry {
	b := &backend{
		opts:          registry.Options{Timeout: defaults.RegistryTimeout},
		registrations: make(map[record.ID]*registration),
		slots:         make(map[string]*registration),
	}
	// The root of everything that the registry does beside its callers.
	b.ctx, b.cancel = context.WithCancel(context.Background())
	for _, o := range opts {
		o(&b.opts)
	}
	b.link = b.open()
	return b
}

// open makes a connection with the options in force.
func (b *backend) open() *link {
	access, _ := settings.Of[credentials.Credentials](b.opts.Context)
	s, _ := settings.Of[etcdSettings](b.opts.Context)
	keys, _ := settings.Of[layout.Layout](b.opts.Context)
	if s.client != nil && (b.opts.Addrs != nil || b.opts.Secure || b.opts.TLSConfig != nil || access != (credentials.Credentials{})) {
		logger.Warnf("Registry [etcd] Addresses, TLS settings and login have no effect: the program brought a client of its own, and they are that client's")
	}
	l := &link{layout: keys, conn: etcd.Open(etcd.Config{
		Addrs:        b.opts.Addrs,
		Secure:       b.opts.Secure,
		TLS:          b.opts.TLSConfig,
		TLSFiles:     access.TLSFiles,
		Username:     access.Username,
		Password:     access.Password,
		PasswordFile: access.PasswordFile,
		Timeout:      b.opts.Timeout,
		Zap:          s.zap,
		Client:       s.client,
		Warn:         func(text string) { logger.Logf(logger.WarnLevel, "Registry [etcd] %s", text) },
	})}
	l.keeper = claim.NewKeeper(l.conn)
	l.ctx, l.end = context.WithCancel(b.ctx)
	return l
}

// err returns what makes l unusable for ever, nil if nothing does.
func (l *link) err() error {
	return cmp.Or(l.conn.Err(), l.layout.Check())
}

// Init applies options. What is registered, watched or followed moves over to
// the new connection, the nodes first, for which Init waits up to the Timeout;
// then the old connection is closed. Without options nothing happens.
func (b *backend) Init(opts ...registry.Option) error {
	b.initializing.Lock()
	defer b.initializing.Unlock()
	if b.ctx.Err() != nil {
		return fmt.Errorf("set the etcd registry up: %w", registry.ErrClosed)
	}
	if len(opts) == 0 {
		return b.Err()
	}
	b.mu.Lock()
	for _, o := range opts {
		o(&b.opts)
	}
	old := b.link
	b.link, b.former = b.open(), old
	moved := b.move(b.link)
	ctx, cancel := context.WithTimeout(b.ctx, b.timeout())
	b.mu.Unlock()
	defer cancel()

	old.end()
	for _, m := range moved {
		if m.to != nil {
			// Not being there yet is what the claim goes on working at.
			_ = m.to.Wait(ctx)
		}
	}
	for _, m := range moved {
		// What cannot be deleted now runs out with its lease.
		_ = m.from.Release(ctx)
	}
	err := old.conn.Close()
	b.mu.Lock()
	b.former, b.past = nil, b.past.Plus(old.conn.Stats())
	b.mu.Unlock()
	if err != nil {
		return fmt.Errorf("close the former connection: %w", err)
	}
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

// String returns "etcd".
func (b *backend) String() string { return "etcd" }

// Err returns what makes the registry unusable for ever, such as a malformed
// address, nil if nothing does.
func (b *backend) Err() error {
	return b.current().err()
}

// Close ends watches and renewals and closes the connection. What is still
// registered is not deregistered: it runs out with its lease. Close may be called
// more than once.
func (b *backend) Close() error {
	b.mu.Lock()
	b.cancel() // nothing is started from here on, and an Init under way gives up
	b.mu.Unlock()
	b.initializing.Lock()
	defer b.initializing.Unlock()
	err := b.current().conn.Close()
	b.running.Wait()
	if err != nil {
		return fmt.Errorf("close the etcd registry: %w", err)
	}
	return nil
}

func (b *backend) current() *link {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.link
}

// timeout returns the bound of one operation. The caller holds mu.
func (b *backend) timeout() time.Duration {
	if b.opts.Timeout > 0 {
		return b.opts.Timeout
	}
	return defaults.RegistryTimeout
}

// bound returns the context of one operation: it ends with the caller's, which
// may be nil, with the registry, or after the timeout.
func (b *backend) bound(caller context.Context) (context.Context, context.CancelFunc) {
	b.mu.Lock()
	timeout := b.timeout()
	b.mu.Unlock()
	ctx, cancel := b.joined(caller)
	ctx, stop := context.WithTimeout(ctx, timeout)
	return ctx, func() { stop(); cancel() }
}

// joined returns a context that ends with the caller's, which may be nil, or with
// the registry.
func (b *backend) joined(caller context.Context) (context.Context, context.CancelFunc) {
	if caller == nil {
		return context.WithCancel(b.ctx)
	}
	ctx, cancel := context.WithCancelCause(caller)
	detach := context.AfterFunc(b.ctx, func() { cancel(registry.ErrClosed) })
	return ctx, func() { detach(); cancel(nil) }
}

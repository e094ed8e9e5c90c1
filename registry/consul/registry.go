// Package consul is the registry in Consul, as the plugin of go-micro v2 writes it,
// so that services of both share one Consul.
//
// Each node is an instance of the service, registered at the agent that the registry
// talks to, with its metadata, endpoints and version in tags. Its TTL check is
// renewed by the registry itself, which also puts the instance back should the agent
// have lost it, until the node is deregistered or the registry closed.
//
// What is registered is found a moment later, when the agent has told its servers.
// No method takes longer than Options.Timeout.
package consul

import (
	"context"
	"fmt"
	"io"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rollcall-go/micro/internal/ability"
	"github.com/rollcall-go/micro/internal/consul"
	"github.com/rollcall-go/micro/internal/credentials"
	"github.com/rollcall-go/micro/internal/defaults"
	"github.com/rollcall-go/micro/internal/feed"
	"github.com/rollcall-go/micro/internal/record"
	"github.com/rollcall-go/micro/internal/settings"
	"github.com/rollcall-go/micro/logger"
	"github.com/rollcall-go/micro/registry"
)

// backend implements registry.Registry. Its lifetime begins with the first call that
// needs Consul and ends with Close.
//
// Its goroutines: one that renews, while something is registered; one for each
// Watcher, until that is stopped; one for each observer of a registration, until it
// stops observing. Close ends all and waits for them.
type backend struct {
	ctx      context.Context // over when the registry is closed
	cancel   context.CancelFunc
	running  sync.WaitGroup // what was started here under ctx
	skipped  atomic.Uint64  // tags and records that could not be read
	renewals atomic.Uint64
	restored atomic.Uint64 // registrations that were lost and put back
	queries  chan struct{} // holds a token for each blocking query that is open

	initializing sync.Mutex // held throughout Init and Close

	mu            sync.Mutex
	opts          registry.Options
	link          *link
	registrations map[record.ID]*registration // made here, or observed
	keeping       bool                        // the goroutine that renews runs
	wake          chan struct{}               // holds a token if it has something to do before its time
}

// link is a client for as long as its options are in force.
type link struct {
	ownSettings
	client *consul.Client
	ctx    context.Context // over when other options are in force
	end    context.CancelFunc
}

var (
	_ registry.Registry            = (*backend)(nil)
	_ feed.Source                  = (*backend)(nil)
	_ feed.Resolver                = (*backend)(nil)
	_ ability.Renewer              = (*backend)(nil)
	_ ability.Yielder              = (*backend)(nil)
	_ ability.RegistrationObserver = (*backend)(nil)
	_ ability.Checker              = (*backend)(nil)
	_ ability.Pauser               = (*backend)(nil)
	_ ability.NameLister           = (*backend)(nil)
	_ io.Closer                    = (*backend)(nil)
)

// NewRegistry returns a registry in the Consul whose agent is at registry.Addrs, else
// at CONSUL_HTTP_ADDR, else at 127.0.0.1:8500. Of several agents the first that
// answers is used, and the next after it failed. What is said by no option is taken
// from the variables that Consul's own tools obey (CONSUL_HTTP_TOKEN and its company),
// which are read here.
//
// It does no I/O and starts nothing; a malformed address is reported by every method.
// The value has the methods of io.Closer; close it when it is no longer needed.
func NewRegistry(opts ...registry.Option) registry.Registry {
	b := &backend{
		opts:          registry.Options{Timeout: defaults.RegistryTimeout},
		registrations: make(map[record.ID]*registration),
		queries:       make(chan struct{}, consul.MaxBlocking),
		wake:          make(chan struct{}, 1),
	}
	// The root of everything that the registry does beside its callers.
	b.ctx, b.cancel = context.WithCancel(context.Background())
	for _, o := range opts {
		o(&b.opts)
	}
	b.link = b.open()
	return b
}

// open makes a client with the options in force.
func (b *backend) open() *link {
	let, _ := settings.Of[credentials.Credentials](b.opts.Context)
	l := &link{ownSettings: ownOf(b.opts.Context)}
	l.client = consul.Open(consul.Config{
		Addrs:       b.opts.Addrs,
		Secure:      b.opts.Secure,
		TLS:         b.opts.TLSConfig,
		Credentials: let,
		Datacenter:  l.datacenter,
		Timeout:     b.opts.Timeout,
		Warn:        func(text string) { logger.Logf(logger.WarnLevel, "Registry [consul] %s", text) },
	})
	l.ctx, l.end = context.WithCancel(b.ctx)
	return l
}

// Init applies options. What is registered, watched or followed moves over to the new
// agent. Without options nothing happens.
func (b *backend) Init(opts ...registry.Option) error {
	b.initializing.Lock()
	defer b.initializing.Unlock()
	if b.ctx.Err() != nil {
		return fmt.Errorf("set the consul registry up: %w", registry.ErrClosed)
	}
	if len(opts) == 0 {
		return b.Err()
	}
	b.mu.Lock()
	for _, o := range opts {
		o(&b.opts)
	}
	old := b.link
	b.link = b.open()
	b.disturb()
	b.mu.Unlock()
	old.end()
	old.client.Close()
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

// String returns "consul".
func (b *backend) String() string { return "consul" }

// Err returns what makes the registry unusable for ever, such as a malformed address,
// nil if nothing does.
func (b *backend) Err() error { return b.current().client.Err() }

// Close ends watches and renewals and closes the connections. What is still
// registered is not deregistered: its check runs out. Close may be called more than
// once.
func (b *backend) Close() error {
	b.mu.Lock()
	b.cancel() // nothing is started from here on, and an Init under way gives up
	b.mu.Unlock()
	b.initializing.Lock()
	defer b.initializing.Unlock()
	b.running.Wait()
	b.current().client.Close()
	return nil
}

func (b *backend) current() *link {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.link
}

// start runs f beside the caller until the registry is closed; f has to end then.
func (b *backend) start(f func()) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.ctx.Err() != nil {
		return registry.ErrClosed
	}
	b.running.Go(f)
	return nil
}

// bound returns the context of one operation: it ends with the caller's, which may be
// nil, with the registry, or after the timeout.
func (b *backend) bound(caller context.Context) (context.Context, context.CancelFunc) {
	b.mu.Lock()
	timeout := b.opts.Timeout
	b.mu.Unlock()
	if timeout <= 0 {
		timeout = defaults.RegistryTimeout
	}
	ctx, cancel := b.joined(caller)
	ctx, stop := context.WithTimeoutCause(ctx, timeout, fmt.Errorf("no answer within %v: %w", timeout, context.DeadlineExceeded))
	return ctx, func() { stop(); cancel() }
}

// joined returns a context that ends with the caller's, which may be nil, or with the
// registry.
func (b *backend) joined(caller context.Context) (context.Context, context.CancelFunc) {
	if caller == nil {
		return context.WithCancel(b.ctx)
	}
	ctx, cancel := context.WithCancelCause(caller)
	detach := context.AfterFunc(b.ctx, func() { cancel(registry.ErrClosed) })
	return ctx, func() { detach(); cancel(nil) }
}

// do calls f with the link in force. Should Init change it meanwhile, f is called
// again.
func (b *backend) do(ctx context.Context, f func(context.Context, *link) error) error {
	for {
		l := b.current()
		using, cancel := context.WithCancel(ctx)
		detach := context.AfterFunc(l.ctx, cancel)
		err := f(using, l)
		detach()
		cancel()
		switch {
		case err == nil:
			return nil
		case b.ctx.Err() != nil:
			return registry.ErrClosed
		case ctx.Err() == nil && l.ctx.Err() != nil:
			continue
		}
		return err
	}
}

// Stats returns what the registry has done since it was made, by the name of each
// count, for whoever exports them: renewals, registrations_restored, records_skipped,
// and requests and failures since the last Init. The map is the caller's.
func (b *backend) Stats() map[string]uint64 {
	requests, failures := b.current().client.Counts()
	return map[string]uint64{
		"requests":               requests,
		"failures":               failures,
		"renewals":               b.renewals.Load(),
		"registrations_restored": b.restored.Load(),
		"records_skipped":        b.skipped.Load(),
	}
}

// pause waits for d, or until ctx is done, and reports whether it waited.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

package etcd

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"
	"google.golang.org/grpc"
	grpcbackoff "google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/rollcall-go/micro/internal/defaults"
	"github.com/rollcall-go/micro/internal/refusal"
)

// ErrClosed is returned by every method of a Conn after Close.
var ErrClosed = errors.New("connection to etcd is closed")

// Conn is a connection to an etcd cluster. Its methods may be called by several
// goroutines at once.
//
// Goroutines, all of which end with the Conn and are waited for by Close:
//   - link.follow, one, from the first use on: keeps the connection being made, and
//     the Link up to date;
//   - auth.run, at most one, only while somebody waits for a login;
//   - lookAtCluster, one, from the first Hold on, if there is somebody to warn;
//   - whatever mirrors and claims start by Go, or do between Hold and release.
//
// Do has one of its own while there is no connection, which it waits for. grpc and
// etcd's client have theirs; they end when Close closes the client.
type Conn struct {
	cfg      Config
	err      error // what is permanently wrong with cfg
	addrs    []string
	tls      *tlsSettings // nil: no TLS
	timeout  time.Duration
	silence  time.Duration // of the link, after which it is not trusted
	patience time.Duration // for the answer to a small request before the member is suspected

	link     *link
	auth     *auth   // nil without a user
	listings *Budget // of mirrors

	clusterWatch sync.Once // starts lookAtCluster
	counters     Counters

	ctx    context.Context // the lifetime of the Conn
	cancel context.CancelFunc
	wg     sync.WaitGroup // everything that runs under ctx

	mu       sync.Mutex
	closed   bool
	client   *clientv3.Client // nil until first use
	startErr error            // why client cannot be made
}

// Open checks cfg and returns a Conn. It does no I/O and starts nothing. What is
// wrong with cfg is kept and returned by Err and by every other method.
func Open(cfg Config) *Conn {
	c := &Conn{
		cfg:      cfg,
		timeout:  cmp.Or(cfg.Timeout, defaults.RegistryTimeout),
		silence:  cmp.Or(cfg.Silence, DefaultSilence),
		patience: cmp.Or(cfg.Patience, DefaultPatience),
		listings: NewBudget(BudgetRate, BudgetBurst),
	}
	// Ended by Close.
	c.ctx, c.cancel = context.WithCancel(context.Background())
	if cfg.Client != nil {
		c.link = newLink(nil, false)
		return c
	}
	target, err := parseAddrs(cfg.Addrs, cfg.wantsTLS())
	c.err = err
	c.addrs = target.addrs
	// Members are tried in order: a random one spreads the load of many programs.
	rand.Shuffle(len(c.addrs), func(i, j int) { c.addrs[i], c.addrs[j] = c.addrs[j], c.addrs[i] })
	c.tls = newTLSSettings(cfg, target.tls)
	c.link = newLink(c.addrs, c.tls != nil)
	if cfg.logsIn() {
		c.auth = newAuth(c)
	}
	return c
}

// Err returns what is permanently wrong with the configuration, such as a
// malformed address, or nil.
func (c *Conn) Err() error { return c.err }

// Client returns the etcd client once it can be used, that is once the user, if
// there is one, is authenticated. The first call starts connecting; the client
// is not necessarily connected. The caller must not close the client.
//
// Refused credentials are tried again for ever, but whoever waits is told of a
// refusal at once.
func (c *Conn) Client(ctx context.Context) (*clientv3.Client, error) {
	client, err := c.Ready(ctx)
	return client, c.Explain("connect", err)
}

// Ready is Client without the explanation of the error, for whoever explains it
// with more to say.
func (c *Conn) Ready(ctx context.Context) (*clientv3.Client, error) {
	client, err := c.start()
	if err != nil || c.auth == nil {
		return client, err
	}
	if _, err := c.auth.valid(ctx); err != nil {
		return nil, err
	}
	return client, nil
}

// start makes the client at the first call.
func (c *Conn) start() (*clientv3.Client, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.err != nil:
		return nil, c.err
	case c.closed:
		return nil, ErrClosed
	case c.client != nil || c.startErr != nil:
		return c.client, c.startErr
	}
	if c.client = c.cfg.Client; c.client == nil {
		if c.client, c.startErr = c.dial(); c.startErr != nil {
			return nil, c.startErr
		}
	}
	if cc := c.client.ActiveConnection(); cc != nil {
		c.wg.Go(func() { c.link.follow(c.ctx, cc) })
	}
	return c.client, nil
}

// dial makes a client. It does not block: the user is authenticated by c.auth,
// because the client's own way makes clientv3.New wait for etcd without end and
// authenticates anew for every stream.
func (c *Conn) dial() (*clientv3.Client, error) {
	creds := insecure.NewCredentials()
	if c.tls != nil {
		creds = credentials.NewTLS(c.tls.base) // stands for what each handshake uses
	}
	options := []grpc.DialOption{
		// The client asks for round_robin, a connection to every member. Without its
		// wish grpc keeps to one connection.
		grpc.WithDisableServiceConfig(),
		grpc.WithIdleTimeout(0),
		grpc.WithContextDialer(c.link.dial),
		grpc.WithTransportCredentials(&watchedCreds{creds, c.tls}),
		grpc.WithConnectParams(grpc.ConnectParams{
			Backoff: grpcbackoff.Config{
				BaseDelay:  defaults.EtcdBaseDelay,
				Multiplier: grpcbackoff.DefaultConfig.Multiplier,
				Jitter:     grpcbackoff.DefaultConfig.Jitter,
				MaxDelay:   defaults.EtcdMaxDelay,
			},
			MinConnectTimeout: defaults.EtcdMinConnectTimeout,
		}),
	}
	if c.auth != nil {
		options = append(options,
			grpc.WithChainUnaryInterceptor(c.auth.unary),
			grpc.WithChainStreamInterceptor(c.auth.stream))
	}
	config := clientv3.Config{
		Endpoints:            make([]string, len(c.addrs)),
		Context:              c.ctx,
		DialKeepAliveTime:    defaults.EtcdKeepaliveTime,
		DialKeepAliveTimeout: defaults.EtcdKeepaliveTimeout,
		DialOptions:          options,
		LogConfig:            c.cfg.Zap,
	}
	for i, addr := range c.addrs {
		config.Endpoints[i] = withoutZone(addr)
	}
	if config.LogConfig == nil {
		config.Logger = zap.NewNop()
	}
	client, err := clientv3.New(config)
	if err != nil {
		return nil, fmt.Errorf("make etcd client: %w", err)
	}
	return client, nil
}

// Do calls f with a usable client and a ctx that ends after the configured
// timeout, and explains the error. op names the operation, as in "list services".
// While there is no connection, and somebody has to mend why, ctx ends after half a
// second.
func (c *Conn) Do(ctx context.Context, op string, f func(context.Context, *clientv3.Client) error) error {
	begun := time.Now()
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	ctx, release := c.untilRefused(ctx)
	defer release()
	client, err := c.Ready(ctx)
	if err == nil {
		err = f(ctx, client)
	}
	if err == nil {
		c.link.markAnswered(time.Now())
		return nil
	}
	if why := context.Cause(ctx); refusal.Of(why) != refusal.None {
		return c.Explain(op, why)
	}
	if why := context.Cause(ctx); errors.Is(ctx.Err(), context.Canceled) && !errors.Is(why, context.Canceled) {
		if l := c.Link(); !l.Up && l.Err != nil {
			why = fmt.Errorf("%w: %w", why, l.Err)
		}
		return c.Explain(op, fmt.Errorf("%w: %w", why, context.Canceled)) // the caller gave up, and says why
	}
	waited := min(time.Since(begun), c.timeout)
	// etcd may report the deadline before our context does.
	late := TimedOut(err) || TimedOut(ctx.Err())
	// A caller with less time than an answer may take proves nothing.
	unanswered := late && waited >= min(c.timeout, c.patience)
	if l := c.Link(); unanswered && l.Up && (time.Since(l.Heard) >= c.silence || c.unresponsive(l, begun)) {
		defer c.Reconnect(l.Generation, fmt.Errorf("no answer to %s within %v", op, waited.Round(time.Millisecond)))
	}
	return c.explain(op, err, waited)
}

// untilRefused returns a context that ends with ctx, or when it is no longer worth
// waiting for the connection, with the reason as its cause. That is never before the
// time that a mismatch is given: what was wrong a moment ago may have been mended.
// Release it.
func (c *Conn) untilRefused(ctx context.Context) (_ context.Context, release func()) {
	link := c.Link()
	if link.Up {
		return ctx, func() {}
	}
	patience, _ := refusal.Mismatch.Patience()
	earliest := time.Now().Add(patience)
	ctx, cancel := context.WithCancelCause(ctx)
	var following sync.WaitGroup
	following.Go(func() {
		timer := time.NewTimer(0)
		defer timer.Stop()
		for !link.Up {
			var giveUp <-chan time.Time
			if !link.GiveUp.IsZero() {
				timer.Reset(max(time.Until(earliest), time.Until(link.GiveUp)))
				giveUp = timer.C
			}
			select {
			case <-link.Changed:
			case <-giveUp:
				cancel(link.Err)
				return
			case <-ctx.Done():
				return
			}
			link = c.Link()
		}
	})
	return ctx, func() {
		cancel(nil)
		following.Wait()
	}
}

// unresponsive reports whether a member has answered no request since then, though
// something arrives from it, as from one that is cut off from the others; and there
// are others.
func (c *Conn) unresponsive(l Link, since time.Time) bool {
	return c.link.members.count() > 1 && time.Since(l.Since) >= c.patience*3/4 && c.link.answeredBefore(since)
}

// Addrs returns the addresses in force, host:port each.
func (c *Conn) Addrs() []string {
	if c.cfg.Client != nil {
		endpoints := slices.Clone(c.cfg.Client.Endpoints())
		for i, e := range endpoints {
			endpoints[i] = withoutSecrets(e)
		}
		return endpoints
	}
	return slices.Clone(c.addrs)
}

// Link returns the state of the connection now.
func (c *Conn) Link() Link { return c.link.now() }

// Reconnect closes the connection of that generation, because it answers no more, so
// that another one is made. Its member is avoided for some seconds if there are
// others. A generation that is over is ignored, as is the connection of
// Config.Client.
func (c *Conn) Reconnect(generation uint64, reason error) { c.link.reconnect(generation, reason) }

// Close ends the connection and all that was started here, and waits for it. It
// may be called more than once.
func (c *Conn) Close() error {
	c.mu.Lock()
	closed, client := c.closed, c.client
	c.closed = true
	c.mu.Unlock()
	c.cancel()
	c.wg.Wait()
	if closed || client == nil || client == c.cfg.Client {
		return nil
	}
	if err := client.Close(); err != nil && !errors.Is(err, context.Canceled) {
		return c.Explain("close", err)
	}
	return nil
}

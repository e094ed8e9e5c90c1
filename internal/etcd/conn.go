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
)

// Conn is a connection to an etcd cluster. Its methods may be called by several
// goroutines at once.
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

	versions sync.Once // starts followVersions
	counters Counters

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
		c.link = newLink(nil)
		return c
	}
	target, err := parseAddrs(cfg.Addrs, cfg.wantsTLS())
	c.err = err
	c.addrs = target.addrs
	// Members are tried in order: a random one spreads the load of many programs.
	rand.Shuffle(len(c.addrs), func(i, j int) { c.addrs[i], c.addrs[j] = c.addrs[j], c.addrs[i] })
	c.tls = newTLSSettings(cfg, target.tls)
	c.link = newLink(c.addrs)
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
		grpc.WithTransportCredentials(&watchedCreds{creds, c.tls, c.link}),
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
func (c *Conn) Do(ctx context.Context, op string, f func(context.Context, *clientv3.Client) error) error {
	begun := time.Now()
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	client, err := c.Ready(ctx)
	if err == nil {
		err = f(ctx, client)
	}
	if err == nil {
		c.link.answer(time.Now())
		return nil
	}
	waited := min(time.Since(begun), c.timeout)
	// That the time is over, the member may say first, in words of its own.
	late := TimedOut(err) || TimedOut(ctx.Err())
	// A caller with less time than an answer may take proves nothing.
	unanswered := late && waited >= min(c.timeout, c.patience)
	if l := c.Link(); unanswered && l.Up && (time.Since(l.Heard) >= c.silence || c.mute(l, begun)) {
		defer c.Suspect(l.Generation, fmt.Errorf("no answer to %s within %v", op, waited.Round(time.Millisecond)))
	}
	return c.explain(op, err, waited)
}

// mute reports whether a member has answered no request since then, though it is
// heard, as one does that is cut off from the others; and there are others.
func (c *Conn) mute(l Link, since time.Time) bool {
	return len(c.addrs) > 1 && time.Since(l.Since) >= c.patience*3/4 && c.link.answeredBefore(since)
}

// Addrs returns the addresses in force, host:port each.
func (c *Conn) Addrs() []string {
	if c.cfg.Client != nil {
		return c.cfg.Client.Endpoints()
	}
	return slices.Clone(c.addrs)
}

// Link returns the state of the connection now.
func (c *Conn) Link() Link { return c.link.now() }

// Suspect says that the connection of that generation answers no more. It is
// closed, and its address is avoided for some seconds if there are others. A
// generation that is over is ignored, as is the connection of Config.Client.
func (c *Conn) Suspect(generation uint64, reason error) { c.link.suspect(generation, reason) }

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

package redis

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"

	client "github.com/redis/go-redis/v9"

	"github.com/rollcall-go/micro/broker"
	"github.com/rollcall-go/micro/codec"
	"github.com/rollcall-go/micro/internal/delivery"
	"github.com/rollcall-go/micro/internal/settings"
)

const (
	defaultAddress = "redis://127.0.0.1:6379"
	keyPrefix      = "micro:topic:"
	deadPrefix     = "dead."
	field          = "m" // of an entry: the message

	manyConnections = 1000
)

// connection is what lies between a Connect and a Disconnect.
type connection struct {
	address  string
	rdb      *client.Client
	codec    codec.Marshaler
	terms    Delivery
	handling *delivery.Handling

	mu    sync.Mutex
	subs  map[*subscription]struct{}
	ended bool // it takes no more of them
}

func connect(opts broker.Options) (*connection, error) {
	o, err := clientOptions(opts)
	if err != nil {
		return nil, fmt.Errorf("connect to redis: %w", err)
	}
	g, _ := settings.Of[given](opts.Context)
	c := &connection{
		address: shown(address(opts)), rdb: client.NewClient(o), codec: opts.Codec, terms: g.delivery.withDefaults(),
		handling: delivery.NewHandling("redis", opts.ErrorHandler), subs: map[*subscription]struct{}{},
	}
	ctx, cancel := context.WithTimeout(context.Background(), o.DialTimeout+o.ReadTimeout)
	defer cancel()
	if err := c.rdb.Ping(ctx).Err(); err != nil {
		return nil, fmt.Errorf("connect to redis at %s: %w", c.address, errors.Join(refused(err), c.rdb.Close()))
	}
	return c, nil
}

// refused says what an error of the first request asks for.
func refused(err error) error {
	var op *net.OpError
	var late net.Error
	switch {
	case client.HasErrorPrefix(err, "WRONGPASS"), client.HasErrorPrefix(err, "NOAUTH"):
		return fmt.Errorf("the server refuses the user or the password; give others in the address: %w", err)
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &late) && late.Timeout():
		return fmt.Errorf("there is no answer in time: %w", err)
	case errors.As(err, &op) && op.Op == "dial":
		return fmt.Errorf("nobody listens there; start a redis-server, or say where one is with broker.Addrs or --broker_address: %w", err)
	}
	return err
}

// add adds an entry to the stream of a topic.
func (c *connection) add(ctx context.Context, topic string, data []byte) error {
	return c.explain(c.rdb.XAdd(ctx, &client.XAddArgs{
		Stream: keyPrefix + topic, MaxLen: c.terms.MaxLen, Approx: true, Values: []any{field, data},
	}).Err())
}

// explain says of an error that is not the server's that the server is away.
func (c *connection) explain(err error) error {
	var said client.Error
	var late net.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &late) && late.Timeout():
		return fmt.Errorf("%w: %s does not answer in time: %w: %w", broker.ErrNotConnected, c.address, context.DeadlineExceeded, err)
	case errors.As(err, &said) && !client.HasErrorPrefix(err, "LOADING"):
		return err
	case errors.Is(err, client.ErrClosed):
		return fmt.Errorf("%w: %w", broker.ErrNotConnected, err)
	}
	return fmt.Errorf("%w: %s does not answer: %w", broker.ErrNotConnected, c.address, err)
}

// end ends all subscriptions, and closes the connection.
func (c *connection) end(ctx context.Context) error {
	c.mu.Lock()
	subs := c.subs
	c.subs, c.ended = nil, true
	c.mu.Unlock()
	for s := range subs {
		s.stop()
	}
	var errs []error
	for s := range subs {
		errs = append(errs, s.finish(ctx))
	}
	return errors.Join(append(errs, c.rdb.Close())...)
}

func address(o broker.Options) string {
	if len(o.Addrs) == 0 || o.Addrs[0] == "" {
		return defaultAddress
	}
	if a := o.Addrs[0]; strings.Contains(a, "://") {
		return a
	}
	return "redis://" + o.Addrs[0]
}

// shown returns an address without what may be secret in it.
func shown(address string) string {
	scheme, rest, _ := strings.Cut(address, "://")
	rest = rest[strings.LastIndex(rest, "@")+1:]
	rest, _, _ = strings.Cut(rest, "?")
	return scheme + "://" + rest
}

func clientOptions(o broker.Options) (*client.Options, error) {
	if len(o.Addrs) > 1 {
		return nil, fmt.Errorf("use %d addresses: this broker takes one", len(o.Addrs))
	}
	c, err := client.ParseURL(address(o))
	if err != nil {
		// The error may hold the whole address.
		return nil, fmt.Errorf("use the address %q: it is none; write redis://user:password@host:port, and what is special in a password as %%XX", shown(address(o)))
	}
	if o.TLSConfig != nil {
		c.TLSConfig = o.TLSConfig.Clone()
	}
	if o.Secure && c.TLSConfig == nil {
		c.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	if c.TLSConfig != nil && c.TLSConfig.ServerName == "" {
		c.TLSConfig.ServerName, _, _ = net.SplitHostPort(c.Addr)
	}
	g, _ := settings.Of[given](o.Context)
	c.DialTimeout = cmp.Or(g.connect, DefaultConnectTimeout)
	c.ReadTimeout = cmp.Or(g.read, DefaultReadTimeout)
	c.WriteTimeout = cmp.Or(g.write, DefaultWriteTimeout)
	c.ConnMaxIdleTime = cmp.Or(g.idle, DefaultIdleTimeout)
	c.PoolSize = cmp.Or(g.maxActive, DefaultMaxActive, manyConnections)
	c.MaxIdleConns = cmp.Or(g.maxIdle, DefaultMaxIdle)
	c.ContextTimeoutEnabled = true
	c.MaxRetries = -1 // the caller hears of it
	return c, nil
}

package nats

import (
	"cmp"
	"crypto/tls"
	"errors"
	"fmt"
	"sync"
	"time"

	nats "github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/rollcall-go/micro/broker"
	"github.com/rollcall-go/micro/codec"
	"github.com/rollcall-go/micro/internal/backoff"
	"github.com/rollcall-go/micro/internal/defaults"
	"github.com/rollcall-go/micro/internal/delivery"
	"github.com/rollcall-go/micro/internal/settings"
)

// connection is what lies between a Connect and a Disconnect.
type connection struct {
	nc       *nats.Conn
	js       jetstream.JetStream // nil without JetStream
	terms    Delivery            // with JetStream
	urls     []string
	codec    codec.Marshaler
	handling *delivery.Handling
	pending  limits
	grace    time.Duration
	closed   chan struct{}

	mu      sync.Mutex
	trouble string            // why the last attempt to connect again failed
	streams map[string]string // the stream of a topic that was published to
	subs    map[*subscription]struct{}
	ended   bool // it takes no more of them
}

// connect makes a connection as the options say.
func connect(o broker.Options) (*connection, error) {
	g, _ := settings.Of[given](o.Context)
	c := &connection{
		urls: addresses(o.Addrs), codec: o.Codec, grace: cmp.Or(o.StopGrace, defaults.StopGrace),
		handling: delivery.NewHandling("nats", o.ErrorHandler),
		pending:  limits{cmp.Or(g.pending.messages, pendingMessages), cmp.Or(g.pending.bytes, pendingBytes)},
		closed:   make(chan struct{}), streams: map[string]string{}, subs: map[*subscription]struct{}{},
	}
	if err := checkAddresses(c.urls); err != nil {
		return nil, fmt.Errorf("connect to nats: %w", err)
	}
	client, err := c.client(o, g)
	if err == nil {
		c.nc, err = client.Connect()
	}
	if err != nil {
		return nil, fmt.Errorf("connect to nats at %s: %w", shownAll(c.urls), refused(err))
	}
	if g.jetstream == nil {
		return c, nil
	}
	c.terms = g.jetstream.withDefaults()
	if err := c.openJetStream(); err != nil {
		return nil, errors.Join(fmt.Errorf("connect to nats at %s: %w", shownAll(c.urls), err), c.end())
	}
	return c, nil
}

// client returns what nats.go is told.
func (c *connection) client(o broker.Options, g given) (nats.Options, error) {
	client := nats.GetDefaultOptions()
	if g.client != nil {
		client = *g.client
	}
	client.Url, client.Servers = "", c.urls
	client.Secure = o.Secure || o.TLSConfig != nil
	client.TLSConfig = o.TLSConfig
	fill(&client)
	c.follow(&client)
	return client, identify(&client, g)
}

// fill puts the defaults of this package in place of those of nats.go.
func fill(o *nats.Options) {
	d := nats.GetDefaultOptions()
	instead(&o.MaxReconnect, d.MaxReconnect, -1) // for ever
	instead(&o.Timeout, d.Timeout, connectTimeout)
	instead(&o.PingInterval, d.PingInterval, pingInterval)
	instead(&o.FlusherTimeout, d.FlusherTimeout, writeTimeout)
	instead(&o.ReconnectBufSize, d.ReconnectBufSize, -1) // nothing is kept while the server is away
	if o.CustomReconnectDelayCB == nil && (o.ReconnectWait == d.ReconnectWait || o.ReconnectWait == 0) {
		o.CustomReconnectDelayCB = backoff.Backoff{Base: reconnectBase, Max: reconnectMax}.Next
	}
	// A password may be set right while the program runs.
	o.AllowReconnect, o.IgnoreAuthErrorAbort = true, true
	o.ReconnectOnFlusherError = true
	if o.TLSConfig == nil {
		o.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS12}
	}
}

// instead sets a value that is zero or nats.go's default.
func instead[T comparable](value *T, otherwise, ours T) {
	var zero T
	if *value == zero || *value == otherwise {
		*value = ours
	}
}

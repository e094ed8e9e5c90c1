package redis

import (
	"cmp"
	"time"

	"github.com/rollcall-go/micro/broker"
	"github.com/rollcall-go/micro/internal/delivery"
	"github.com/rollcall-go/micro/internal/settings"
)

// given is what the options of this broker say.
type given struct {
	connect, read, write, idle time.Duration
	maxActive, maxIdle         int
	delivery                   Delivery
}

func option(change func(*given)) broker.Option {
	return func(o *broker.Options) {
		g, _ := settings.Of[given](o.Context)
		change(&g)
		o.Context = settings.With(o.Context, g)
	}
}

// What holds where an option is not given. They belong to the program; set them before the
// first broker is made.
var (
	// DefaultMaxActive is how many connections there may be at once; 0 means a thousand.
	DefaultMaxActive = 0
	// DefaultMaxIdle is how many connections are kept that nobody uses.
	DefaultMaxIdle = 5
	// DefaultIdleTimeout is how long such a one is kept.
	DefaultIdleTimeout = 2 * time.Minute
	// DefaultConnectTimeout bounds the making of a connection.
	DefaultConnectTimeout = 5 * time.Second
	// DefaultReadTimeout bounds the wait for an answer.
	DefaultReadTimeout = 5 * time.Second
	// DefaultWriteTimeout bounds the sending of a request.
	DefaultWriteTimeout = 5 * time.Second
)

// ConnectTimeout bounds the making of a connection.
func ConnectTimeout(d time.Duration) broker.Option {
	return option(func(g *given) { g.connect = d })
}

// ReadTimeout bounds the wait for an answer.
func ReadTimeout(d time.Duration) broker.Option { return option(func(g *given) { g.read = d }) }

// WriteTimeout bounds the sending of a request.
func WriteTimeout(d time.Duration) broker.Option { return option(func(g *given) { g.write = d }) }

// MaxIdle sets how many connections are kept that nobody uses.
func MaxIdle(n int) broker.Option { return option(func(g *given) { g.maxIdle = n }) }

// MaxActive sets how many connections there may be at once. Each subscription uses one.
func MaxActive(n int) broker.Option { return option(func(g *given) { g.maxActive = n }) }

// IdleTimeout sets how long a connection is kept that nobody uses.
func IdleTimeout(d time.Duration) broker.Option { return option(func(g *given) { g.idle = d }) }

// Deliver says how messages are kept and given again.
func Deliver(d Delivery) broker.Option { return option(func(g *given) { g.delivery = d }) }

// Delivery says how messages are kept and given again. Zero values mean the defaults.
type Delivery struct {
	// AckWait is the time after which a message of a queue is given to another member
	// whose process has not been heard of. Handlers may take longer. With
	// broker.DisableAutoAck it runs from the return of the handler to Ack. By default 30
	// seconds.
	AckWait time.Duration
	// MaxDeliver is how many times a message is given before it is put aside. By default
	// 10. A negative number means without end.
	MaxDeliver int
	// RetryWait is the wait before a message comes again whose handler returned an
	// error. It doubles each time, up to RetryMaxWait, and half of it is random. By
	// default a second and a minute.
	RetryWait, RetryMaxWait time.Duration
	// MaxLen is about how many messages a stream keeps, by default 100,000.
	MaxLen int64
	// FromStart gives a new subscription, or a new queue, all that the stream holds, and
	// not only what is published from then on.
	FromStart bool
}

func (d Delivery) withDefaults() Delivery {
	d.AckWait = max(cmp.Or(max(d.AckWait, 0), 30*time.Second), time.Millisecond) // a third of it is a wait
	d.MaxDeliver = cmp.Or(d.MaxDeliver, 10)
	d.RetryWait = cmp.Or(max(d.RetryWait, 0), time.Second)
	d.RetryMaxWait = cmp.Or(max(d.RetryMaxWait, 0), time.Minute)
	d.MaxLen = cmp.Or(max(d.MaxLen, 0), 100_000)
	return d
}

func (d Delivery) retry() delivery.Retry {
	return delivery.Retry{MaxDeliver: d.MaxDeliver, Wait: d.RetryWait, MaxWait: d.RetryMaxWait}
}

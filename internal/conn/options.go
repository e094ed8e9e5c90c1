package conn

import (
	"iter"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/rollcall-go/micro/internal/defaults"
	"github.com/rollcall-go/micro/internal/endpoint"
	"github.com/rollcall-go/micro/internal/secure"
)

// Options are the settings of a Set. The zero value is the default.
type Options struct {
	// TLS secures the connections to endpoints that demand it. Nil means the roots
	// of the system.
	TLS *secure.Dialer
	// DialTimeout bounds one attempt to connect. Zero means
	// defaults.NodeConnectTimeout.
	DialTimeout time.Duration
	// MaxHeaderListSize bounds the headers of an answer, in bytes. Zero means
	// defaults.MaxHeaderListSize.
	MaxHeaderListSize uint32
	// Silence is how long nothing may be heard under calls before they go elsewhere.
	// Zero means defaults.NodeSilence.
	Silence time.Duration
	// Pulse is the least time between two looks at a connection whose streams rest: when
	// six in a row find that nothing was heard of a node that bears to be asked, it is
	// broken off. Zero means defaults.NodePulse.
	Pulse time.Duration
	// PoolSize is how many connections there may be to one node whose server limits
	// the calls on each. As many again may remain that fell silent and whose calls go
	// on. Zero means defaults.PoolSize.
	PoolSize int
	// MaxStreams is how many calls at a time are made on one connection, if the
	// server allows as many. Zero means as many as it allows.
	MaxStreams int
	// DialOptions are the program's own. They override those that follow from the
	// fields above, but not the way in which a node is found and retried. With a
	// dialer of the program it is not noticed when a node falls silent, with
	// credentials of the program not how many calls a server allows.
	DialOptions []grpc.DialOption

	// Listed yields the endpoints of all nodes that are routed to. Connections to
	// others are closed. Nil means that nodes never leave.
	Listed iter.Seq[endpoint.Endpoint]
	// CloseDelay is the longest time that the connection of a node that left stays
	// open once its calls have ended. Zero means defaults.ConnCloseDelay.
	CloseDelay time.Duration
	// Idle is the time without a call after which a connection is closed. Zero
	// means defaults.SnapshotIdle.
	Idle time.Duration

	// Failed is told of each failed attempt to connect. It is called from grpc's
	// goroutines and must return quickly; of the set it may use only Recheck. May be
	// nil.
	Failed func(endpoint.Endpoint)
}

// withDefaults fills in what was left zero.
func (o Options) withDefaults() Options {
	if o.TLS == nil {
		o.TLS = secure.NewDialer(secure.Client{}, nil)
	}
	o.DialTimeout = or(o.DialTimeout, defaults.NodeConnectTimeout)
	o.MaxHeaderListSize = or(o.MaxHeaderListSize, defaults.MaxHeaderListSize)
	o.Silence = or(o.Silence, defaults.NodeSilence)
	o.Pulse = or(o.Pulse, defaults.NodePulse)
	o.PoolSize = or(o.PoolSize, defaults.PoolSize)
	o.CloseDelay = or(o.CloseDelay, defaults.ConnCloseDelay)
	o.Idle = or(o.Idle, defaults.SnapshotIdle)
	return o
}

func or[T int | uint32 | time.Duration](v, otherwise T) T {
	if v > 0 {
		return v
	}
	return otherwise
}

// credentials returns those of an endpoint.
func (o *Options) credentials(e endpoint.Endpoint) credentials.TransportCredentials {
	if !e.TLS {
		return insecure.NewCredentials()
	}
	return o.TLS.Credentials(nodeOf(e))
}

// nodeOf returns whom a connection to e is to lead to.
func nodeOf(e endpoint.Endpoint) secure.Node {
	return secure.Node{Host: e.Host, Service: e.Service, TLS: e.TLS}
}

// dial returns the options of one wire.
func (o *Options) dial(w *wire) []grpc.DialOption {
	opts := []grpc.DialOption{
		grpc.WithTransportCredentials(&framedCredentials{TransportCredentials: o.credentials(w.conn.endpoint), wire: w}),
		grpc.WithContextDialer(w.dial), // which also keeps grpc from asking for a proxy
		grpc.WithMaxHeaderListSize(o.MaxHeaderListSize),
		grpc.WithConnectParams(grpc.ConnectParams{
			Backoff:           backoff.Config{BaseDelay: defaults.NodeBaseDelay, Multiplier: 1.6, Jitter: 0.2, MaxDelay: defaults.NodeMaxDelay},
			MinConnectTimeout: o.DialTimeout,
		}),
	}
	opts = append(opts, o.DialOptions...)
	return append(opts,
		grpc.WithResolvers(resolve{w}),
		grpc.WithDefaultServiceConfig(serviceConfig),
		grpc.WithDisableRetry(),
		grpc.WithIdleTimeout(0), // the set closes what is idle
	)
}

package conn

import (
	"iter"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/keepalive"

	"github.com/rollcall-go/micro/internal/defaults"
)

// Options are the settings of a Set. The zero value is the default.
type Options struct {
	// Credentials secure every connection of the set. Nil means plain text.
	Credentials credentials.TransportCredentials
	// MaxRecvMsgSize and MaxSendMsgSize bound one message, in bytes. Zero means
	// those of package defaults.
	MaxRecvMsgSize, MaxSendMsgSize int
	// DialTimeout bounds one attempt to connect. Zero means
	// defaults.NodeConnectTimeout.
	DialTimeout time.Duration
	// Keepalive is the silence during a call after which the connection is probed.
	// Zero means never, which is right unless every server is known to bear it:
	// gRPC servers that are not set up for probes more often than every five
	// minutes, as those of go-micro v2 are not, close the connection with the
	// calls on it.
	Keepalive time.Duration
	// DialOptions are the program's own. They override those that follow from the
	// fields above, but not the way in which a node is found and retried.
	DialOptions []grpc.DialOption

	// Listed yields the addresses of all nodes that are routed to. Connections to
	// other addresses are closed. Nil means that nodes never leave.
	Listed iter.Seq[string]
	// CloseDelay is the longest time that the connection of a node that left stays
	// open once its calls have ended. Zero means defaults.ConnCloseDelay.
	CloseDelay time.Duration
	// Idle is the time without a call after which a connection is closed. Zero
	// means defaults.SnapshotIdle.
	Idle time.Duration

	// Failed is told the address of each failed attempt to connect. It is called
	// from grpc's goroutines and must return quickly; of the set it may use only
	// Recheck and State. May be nil.
	Failed func(address string)
}

// withDefaults fills in what was left zero.
func (o Options) withDefaults() Options {
	if o.Credentials == nil {
		o.Credentials = insecure.NewCredentials()
	}
	o.MaxRecvMsgSize = or(o.MaxRecvMsgSize, defaults.MaxRecvMsgSize)
	o.MaxSendMsgSize = or(o.MaxSendMsgSize, defaults.MaxSendMsgSize)
	o.DialTimeout = or(o.DialTimeout, defaults.NodeConnectTimeout)
	o.CloseDelay = or(o.CloseDelay, defaults.ConnCloseDelay)
	o.Idle = or(o.Idle, defaults.SnapshotIdle)
	return o
}

func or[T int | time.Duration](v, otherwise T) T {
	if v > 0 {
		return v
	}
	return otherwise
}

// dial returns the options of one connection.
func (o *Options) dial(r resolve) []grpc.DialOption {
	opts := []grpc.DialOption{
		grpc.WithTransportCredentials(o.Credentials),
		grpc.WithDefaultCallOptions(o.limits()...),
		grpc.WithConnectParams(grpc.ConnectParams{
			Backoff:           backoff.Config{BaseDelay: defaults.NodeBaseDelay, Multiplier: 1.6, Jitter: 0.2, MaxDelay: defaults.NodeMaxDelay},
			MinConnectTimeout: o.DialTimeout,
		}),
	}
	if o.Keepalive > 0 {
		opts = append(opts, grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: o.Keepalive}))
	}
	opts = append(opts, o.DialOptions...)
	return append(opts,
		grpc.WithResolvers(r),
		grpc.WithDefaultServiceConfig(serviceConfig),
		grpc.WithDisableRetry(),
		grpc.WithIdleTimeout(0), // the set closes what is idle
	)
}

// grpcMaxRecvMsgSize is grpc's own limit for what is received.
const grpcMaxRecvMsgSize = 4 << 20

// limits returns the call options that bound messages. Each costs every call an
// allocation, so that one which says what grpc does anyway is left out.
func (o *Options) limits() []grpc.CallOption {
	limits := []grpc.CallOption{grpc.MaxCallSendMsgSize(o.MaxSendMsgSize)}
	if o.MaxRecvMsgSize != grpcMaxRecvMsgSize {
		limits = append(limits, grpc.MaxCallRecvMsgSize(o.MaxRecvMsgSize))
	}
	return limits
}

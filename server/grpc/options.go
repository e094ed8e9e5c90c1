package grpc

import (
	"context"
	"maps"
	"net"
	"reflect"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/encoding"

	"github.com/rollcall-go/micro/internal/defaults"
	"github.com/rollcall-go/micro/internal/settings"
	"github.com/rollcall-go/micro/server"
)

// DefaultMaxMsgSize is the largest message, in bytes, that a server receives or
// sends unless MaxMsgSize says otherwise. It is read at Start.
var DefaultMaxMsgSize = defaults.MaxRecvMsgSize

// serverSettings are the options of this package. They travel in server.Options.Context
// and are not changed once they are there.
type serverSettings struct {
	codecs     map[string]encoding.Codec
	listener   net.Listener
	maxConn    int // zero means no limit
	maxMsgSize int // zero means DefaultMaxMsgSize
	grpc       []grpc.ServerOption

	maxHeaderListSize int // zero means the default
	maxStreams        int // zero means the default
	reflection        bool
	gzip              bool

	events func(Event) // may be nil

	wait  time.Duration // for the first registration
	delay time.Duration // from deregistering to draining
	grace time.Duration // for the calls in flight
}

// settingsOf returns the settings in ctx, which may be nil.
func settingsOf(ctx context.Context) *serverSettings {
	if s, ok := settings.Of[*serverSettings](ctx); ok {
		return s
	}
	return &defaultSettings
}

// limit is the largest message, in bytes.
func (s *serverSettings) limit() int {
	if s.maxMsgSize > 0 {
		return s.maxMsgSize
	}
	return DefaultMaxMsgSize
}

var defaultSettings = serverSettings{
	reflection: true,
	wait:       defaults.RegistrationWait,
	delay:      defaults.DeregisterDelay,
	grace:      defaults.StopGrace,
}

// set returns the option that changes a copy of the settings.
func set(change func(*serverSettings)) server.Option {
	return func(o *server.Options) {
		next := *settingsOf(o.Context)
		change(&next)
		o.Context = settings.With(o.Context, &next)
	}
}

// Codec adds an encoding for a content type, or replaces the one of this package.
// Clients that have it under the same name are answered by it as well. It is
// given messages only, never the frames of package codec/bytes.
func Codec(contentType string, c encoding.Codec) server.Option {
	return set(func(s *serverSettings) {
		codecs := maps.Clone(s.codecs)
		if codecs == nil {
			codecs = make(map[string]encoding.Codec, 1)
		}
		codecs[contentType] = c
		s.codecs = codecs
	})
}

// Listener makes the server accept connections from l, which it closes when it
// stops, and ignore the options Address and server.TLSConfig.
func Listener(l net.Listener) server.Option {
	return set(func(s *serverSettings) { s.listener = l })
}

// MaxConn limits the number of connections at a time; further ones wait. Zero
// means no limit.
func MaxConn(n int) server.Option {
	return set(func(s *serverSettings) { s.maxConn = n })
}

// MaxMsgSize limits the size of one message, in bytes, in both directions. Zero
// means DefaultMaxMsgSize.
func MaxMsgSize(n int) server.Option {
	return set(func(s *serverSettings) { s.maxMsgSize = n })
}

// MaxHeaderListSize limits the headers of one request, in bytes: names and values
// together, and 32 more for each header. Calls that have more fail. Zero means
// 256 KiB.
func MaxHeaderListSize(n int) server.Option {
	return set(func(s *serverSettings) { s.maxHeaderListSize = n })
}

// MaxConcurrentStreams limits the calls that one connection may have in flight;
// clients hold further ones back or open another connection. Zero means 1000.
func MaxConcurrentStreams(n int) server.Option {
	return set(func(s *serverSettings) { s.maxStreams = n })
}

// Reflection says whether the server describes its services to whoever asks by
// gRPC's reflection. It does by default.
func Reflection(on bool) server.Option {
	return set(func(s *serverSettings) { s.reflection = on })
}

// RegistrationWait sets how long Start waits for the first registration, so that
// whoever waits for Start finds the service in the registry. The server serves
// meanwhile, and after that registers beside. The default is 1 s; zero means not to
// wait.
func RegistrationWait(d time.Duration) server.Option {
	return set(func(s *serverSettings) { s.wait = d })
}

// Options hands options to the grpc.Server behind the server. The other options of
// this package, where given, go before them, and the server keeps the codec and the
// handler of unknown services for itself. Stream interceptors see the
// calls of reflected handlers, unary interceptors those of services registered by
// RegisterService. One of grpc.ChainUnaryInterceptor and grpc.ChainStreamInterceptor may
// panic and the call fails; one of grpc.UnaryInterceptor and grpc.StreamInterceptor
// stands in front of what recovers.
func Options(opts ...grpc.ServerOption) server.Option {
	return set(func(s *serverSettings) { s.grpc = opts })
}

// DeregisterDelay sets how long a stopping server goes on taking calls once it has
// deregistered, so that clients can hear of it. Zero means not at all.
func DeregisterDelay(d time.Duration) server.Option {
	return set(func(s *serverSettings) { s.delay = d })
}

// StopGrace sets how long a stopping server waits for the calls in flight before
// it cuts them off. Zero means not at all, and that they are cut off is then no
// error.
func StopGrace(d time.Duration) server.Option {
	return set(func(s *serverSettings) { s.grace = d })
}

// changedForGood returns the name of an option that differs between the two and
// that a running server cannot change, empty if there is none.
func changedForGood(a, b server.Options) string {
	for _, o := range []struct {
		name string
		a, b any
	}{
		{"Name", a.Name, b.Name},
		{"Id", a.Id, b.Id},
		{"Version", a.Version, b.Version},
		{"Address", a.Address, b.Address},
		{"TLSConfig", a.TLSConfig, b.TLSConfig},
		{"Registry", a.Registry, b.Registry},
		{"Broker", a.Broker, b.Broker},
		{"RegisterTTL", a.RegisterTTL, b.RegisterTTL},
		{"RegisterInterval", a.RegisterInterval, b.RegisterInterval},
		{"of TLS", tlsPointer(a.Context), tlsPointer(b.Context)},
		{"of package server/grpc", settingsOf(a.Context), settingsOf(b.Context)},
	} {
		if !same(o.a, o.b) {
			return o.name
		}
	}
	return ""
}

// same compares what may be of a type that == panics on, and counts that as the
// same.
func same(a, b any) bool {
	if a == nil || b == nil {
		return a == b
	}
	return reflect.TypeOf(a) == reflect.TypeOf(b) && (!reflect.ValueOf(a).Comparable() || a == b)
}

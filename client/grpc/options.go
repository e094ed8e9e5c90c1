package grpc

import (
	"context"
	"maps"
	"slices"

	"google.golang.org/grpc"
	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/encoding/gzip" // registers the compressor, nothing else

	"github.com/rollcall-go/micro/client"
	"github.com/rollcall-go/micro/internal/defaults"
	"github.com/rollcall-go/micro/internal/rpc"
	"github.com/rollcall-go/micro/internal/settings"
)

var (
	// DefaultPoolMaxStreams is how many calls at a time a client makes on one
	// connection, unless options say otherwise. Zero means as many as the server
	// allows. A client reads it when it is made.
	DefaultPoolMaxStreams = 0
	// DefaultPoolMaxIdle is kept for programs that name it. It has no effect: a
	// second connection to a node is closed 5 s after its last call.
	DefaultPoolMaxIdle = 50

	// DefaultMaxRecvMsgSize is the largest answer that a client accepts, in bytes,
	// unless options say otherwise. A client reads it when it is made.
	DefaultMaxRecvMsgSize = defaults.MaxRecvMsgSize
	// DefaultMaxSendMsgSize is the largest request that a client sends, in bytes,
	// unless options say otherwise. A client reads it when it is made.
	DefaultMaxSendMsgSize = defaults.MaxSendMsgSize
)

// clientSettings are the options of this package for a client. They travel in
// client.Options.Context and are not changed once they are there.
type clientSettings struct {
	codecs           map[string]encoding.Codec
	maxRecv, maxSend int
	noSuspects       bool
	maxUnknown       int
	events           *func(Event)

	maxHeaderListSize uint32
	maxStreams        int
	transports        []otherTransport
}

func set(change func(*clientSettings)) client.Option {
	return func(o *client.Options) {
		s, _ := settings.Of[clientSettings](o.Context)
		change(&s)
		o.Context = settings.With(o.Context, s)
	}
}

// PoolMaxStreams sets how many calls at a time are made on one connection to a node
// before another one is opened, as long as there are fewer than client.PoolSize.
// Calls beyond that share them; a server that allows fewer is obeyed, and then such
// calls wait. Zero or less means DefaultPoolMaxStreams.
func PoolMaxStreams(n int) client.Option {
	return set(func(s *clientSettings) { s.maxStreams = n })
}

// PoolMaxIdle is kept for programs that use it. It has no effect: a second
// connection to a node is closed 5 s after its last call.
func PoolMaxIdle(int) client.Option { return func(*client.Options) {} }

// Codec sets the encoding of a content type, in place of one that the package has
// for it, if any. The codec's name is announced on the wire.
func Codec(contentType string, c encoding.Codec) client.Option {
	return set(func(s *clientSettings) {
		codecs := maps.Clone(s.codecs)
		if codecs == nil {
			codecs = map[string]encoding.Codec{}
		}
		codecs[contentType] = c
		s.codecs = codecs
	})
}

// MaxRecvMsgSize sets the largest answer accepted, in bytes. Zero or less means
// DefaultMaxRecvMsgSize.
func MaxRecvMsgSize(n int) client.Option {
	return set(func(s *clientSettings) { s.maxRecv = n })
}

// MaxSendMsgSize sets the largest request sent, in bytes. Zero or less means
// DefaultMaxSendMsgSize.
func MaxSendMsgSize(n int) client.Option {
	return set(func(s *clientSettings) { s.maxSend = n })
}

// MaxHeaderListSize sets how large the headers of an answer may be, in bytes, names
// and values and 32 for each of them. Zero means 256 KiB.
func MaxHeaderListSize(n uint32) client.Option {
	return set(func(s *clientSettings) { s.maxHeaderListSize = n })
}

// Suspects says whether calls may go to nodes that vanished from the registry in a
// way that nobody may have meant: many at once, their leases run out, or while the
// registry was away. Such nodes are chosen after all others and dropped when they
// do not answer, or after a minute. Without the option it is so; with false, a node
// that is not registered is not called.
func Suspects(keep bool) client.Option {
	return set(func(s *clientSettings) { s.noSuspects = !keep })
}

// MaxUnknownNames sets how many names are followed in the registry of which no node
// was ever seen. Beyond it the one not called for the longest time is dropped, to
// be looked up anew if it is called again. Zero or less means the default, 64.
func MaxUnknownNames(n int) client.Option {
	return set(func(s *clientSettings) { s.maxUnknown = max(n, 0) })
}

// callSettings are the options of this package for a call. They travel in
// client.CallOptions.Context and are not changed once they are there.
type callSettings struct {
	dial []grpc.DialOption
	call []grpc.CallOption
	raw  bool // return errors as gRPC has them

	desc   *grpc.StreamDesc // of a stream; nil if nothing is known of it
	opened func(*stream)    // told of the stream once it is open; may be nil
}

var noCallSettings callSettings

func callSettingsOf(ctx context.Context) *callSettings {
	if s, ok := settings.Of[*callSettings](ctx); ok {
		return s
	}
	return &noCallSettings
}

func setCall(change func(*callSettings)) client.CallOption {
	return func(o *client.CallOptions) {
		s := *callSettingsOf(o.Context)
		change(&s)
		o.Context = settings.With(o.Context, &s)
	}
}

// DialOptions adds to the options with which connections are made. They belong
// among the CallOptions of a client. Given to a single call, they make it use a
// connection of its own, closed when the call is over.
func DialOptions(opts ...grpc.DialOption) client.CallOption {
	return setCall(func(s *callSettings) { s.dial = slices.Concat(s.dial, opts) })
}

// CallOptions adds to the options that grpc is given with a call: of all calls of
// a client, where they are among its CallOptions, or of a single one.
func CallOptions(opts ...grpc.CallOption) client.CallOption {
	return setCall(func(s *callSettings) { s.call = slices.Concat(s.call, opts) })
}

// Gzip compresses a request, of all calls of a client, where it is among its
// CallOptions, or of a single one, and all messages of a stream. Small ones are too:
// servers compress the answers to what they get compressed, which for a small
// request are often large. Answers are decompressed, whether it is given or not.
func Gzip() client.CallOption { return CallOptions(grpc.UseCompressor(gzip.Name)) }

// UseNumber makes all clients of the process, from now on, decode a JSON number
// that goes into an interface as a json.Number instead of a float64.
func UseNumber() { rpc.UseNumber() }

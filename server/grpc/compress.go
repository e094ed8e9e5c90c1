package grpc

import (
	"context"

	"google.golang.org/grpc"
	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/encoding/gzip" // makes grpc read and answer what clients compress
	"google.golang.org/protobuf/proto"

	"github.com/rollcall-go/micro/internal/protomsg"
	"github.com/rollcall-go/micro/server"
)

// leastCompressed is the size in bytes from which on an answer is compressed: a smaller
// one becomes hardly shorter, and takes longer.
const leastCompressed = 1024

// Gzip compresses the answers to calls, of 1 KiB and more, for clients that say they
// accept it; others, such as those of go-micro v2, get them as they are. Without it
// an answer is compressed if its request was. Streams follow their client in either
// case: grpc compresses all messages that one side of a stream sends, or none.
func Gzip() server.Option {
	return set(func(s *serverSettings) { s.gzip = true })
}

// compress chooses how an answer of so many bytes is sent.
func (c *calls) compress(ctx context.Context, size int) {
	if !c.gzip {
		return
	}
	name := gzip.Name
	if size < leastCompressed {
		name = encoding.Identity
	}
	// Fails for a client that does not accept it, and if the headers are sent already.
	_ = grpc.SetSendCompressor(ctx, name)
}

// compressMessage is compress for an answer that grpc encodes.
func (c *calls) compressMessage(ctx context.Context, rsp any) {
	if !c.gzip {
		return
	}
	if m, ok := protomsg.Of(rsp); ok {
		c.compress(ctx, proto.Size(m))
	}
}

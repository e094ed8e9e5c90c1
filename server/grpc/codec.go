package grpc

import (
	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/mem"

	"github.com/rollcall-go/micro/internal/rpc"
)

// guardedCodec is the codec of the grpc.Server. The messages of a service of
// RegisterService are decoded and encoded by grpc, before and after the interceptors:
// one with methods of its own that panic, on bytes from a caller for example, must not
// end the process.
type guardedCodec struct {
	*rpc.Codec
	recovery *recovery
}

var _ encoding.CodecV2 = guardedCodec{}

func (c guardedCodec) Marshal(v any) (_ mem.BufferSlice, err error) {
	defer c.recovery.recoverText(&err)
	return c.Codec.Marshal(v)
}

func (c guardedCodec) Unmarshal(data mem.BufferSlice, v any) (err error) {
	defer c.recovery.recoverText(&err)
	return c.Codec.Unmarshal(data, v)
}

package grpc

import (
	"google.golang.org/grpc"

	"github.com/rollcall-go/micro/internal/rpc"
)

// exchange is the messages of one call, in both directions and in the format that
// its client chose.
type exchange struct {
	calls  *calls
	stream grpc.ServerStream
	codec  *rpc.Codec
}

// receive decodes the next message into v. It returns io.EOF after the last one.
func (x exchange) receive(v any) error {
	return x.stream.RecvMsg(&rpc.Body{Codec: x.codec, Value: v})
}

// send encodes v and sends it as one message.
func (x exchange) send(v any) error {
	return x.calls.send(x.stream, &rpc.Body{Codec: x.codec, Value: v})
}

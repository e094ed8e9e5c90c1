package server

import (
	"github.com/rollcall-go/micro/codec"
	"github.com/rollcall-go/micro/codec/bytes"
	"github.com/rollcall-go/micro/codec/grpc"
	"github.com/rollcall-go/micro/codec/json"
	"github.com/rollcall-go/micro/codec/jsonrpc"
	"github.com/rollcall-go/micro/codec/proto"
	"github.com/rollcall-go/micro/codec/protorpc"
)

// DefaultCodecs are the codecs of mucp by content type, for servers of a program's own that read
// them. server/grpc has encodings of its own, to which its option Codec adds.
var DefaultCodecs = map[string]codec.NewCodec{
	"application/grpc":         grpc.NewCodec,
	"application/grpc+json":    grpc.NewCodec,
	"application/grpc+proto":   grpc.NewCodec,
	"application/json":         json.NewCodec,
	"application/json-rpc":     jsonrpc.NewCodec,
	"application/octet-stream": bytes.NewCodec,
	"application/protobuf":     proto.NewCodec,
	"application/proto-rpc":    protorpc.NewCodec,
}

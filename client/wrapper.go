package client

import (
	"context"

	"github.com/rollcall-go/micro/registry"
)

// CallFunc makes one attempt of a call, on the given node. The node is shared
// and must not be changed.
type CallFunc func(ctx context.Context, node *registry.Node, req Request, rsp any, opts CallOptions) error

// CallWrapper surrounds a CallFunc. It runs once for each attempt.
type CallWrapper func(CallFunc) CallFunc

// Wrapper surrounds a Client. It runs once for each call, whatever the number
// of attempts.
type Wrapper func(Client) Client

// StreamWrapper surrounds a Stream.
type StreamWrapper func(Stream) Stream

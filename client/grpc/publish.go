package grpc

import (
	"context"
	"fmt"
	"net/http"

	"github.com/rollcall-go/micro/client"
	"github.com/rollcall-go/micro/errors"
	"github.com/rollcall-go/micro/internal/rpc"
)

// Publish returns an error with code 501: brokers come in a later release.
func (c *grpcClient) Publish(_ context.Context, msg client.Message, _ ...client.PublishOption) error {
	if msg == nil {
		return failure("msg is nil", nil)
	}
	return notImplemented("publish to topic %q: brokers are not in this release, they come in a later one", msg.Topic())
}

func notImplemented(format string, a ...any) error {
	return errors.New(rpc.ClientID, fmt.Sprintf(format, a...), http.StatusNotImplemented)
}

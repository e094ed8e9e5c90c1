package main

import (
	"context"
	"time"

	"github.com/micro/go-micro/v2/client"
)

// Relay handles a call by another one, under its context.
type Relay struct{ caller client.Client }

// RelayRequest names the services that the call is still to go through.
type RelayRequest struct {
	Services []string `json:"services"`
}

// RelayReply is of the last of them.
type RelayReply struct {
	// Left is how much time it had, zero if there was no bound.
	Left time.Duration `json:"left"`
}

// Pass calls the next service, or answers if there is none.
func (r *Relay) Pass(ctx context.Context, in *RelayRequest, out *RelayReply) error {
	if len(in.Services) == 0 {
		if until, bounded := ctx.Deadline(); bounded {
			out.Left = time.Until(until)
		}
		return nil
	}
	next := r.caller.NewRequest(in.Services[0], "Relay.Pass", &RelayRequest{Services: in.Services[1:]}, client.WithContentType("application/json"))
	return r.caller.Call(ctx, next, out)
}

//go:build !race

package grpc

import (
	"context"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	grpcmd "google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/rollcall-go/micro/client"
	"github.com/rollcall-go/micro/metadata"
)

// mixedCalls is how many calls each worker of TestMixed makes.
const mixedCalls = 1000

// TestAllocations bounds what a call allocates beyond one of grpc with the same
// deadline and the same metadata.
func TestAllocations(t *testing.T) {
	const more = 8
	n := serve(t, echo)
	c := newClient(t, client.Registry(register(t, service("echo", n))))
	cc, err := grpc.NewClient("passthrough:///"+n.Address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer cc.Close()

	in, out := wrapperspb.String("x"), new(wrapperspb.StringValue)
	count := func(call func() error) float64 {
		return testing.AllocsPerRun(500, func() {
			if err := call(); err != nil {
				t.Fatal(err)
			}
		})
	}
	md := metadata.Metadata{"Micro-From-Service": "test"}
	ours := count(func() error {
		return c.Call(metadata.NewContext(t.Context(), md), c.NewRequest("echo", "Echo.Say", in), out)
	})
	raw := count(func() error {
		ctx, cancel := context.WithTimeout(grpcmd.AppendToOutgoingContext(t.Context(), "micro-from-service", "test"), time.Minute)
		defer cancel()
		return cc.Invoke(ctx, "/echo.Echo/Say", in, out)
	})
	t.Logf("a call allocates %v times, one of grpc %v", ours, raw)
	if ours > raw+more {
		t.Errorf("a call allocates %v times, one of grpc %v: more than %v more", ours, raw, more)
	}
}

//go:build !race

package grpc

import (
	"context"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/rollcall-go/micro/client"
)

// mixedCalls is how many calls each worker of TestMixed makes.
const mixedCalls = 1000

// TestAllocations bounds what a call allocates beyond what grpc itself does.
func TestAllocations(t *testing.T) {
	const more = 10
	n := serve(t, echo)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	c := newClient(t, client.Registry(register(t, service("echo", n))))
	cc, err := grpc.NewClient("passthrough:///"+n.Address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer cc.Close()

	in, out := wrapperspb.String("x"), new(wrapperspb.StringValue)
	req := c.NewRequest("echo", "Echo.Say", in)
	count := func(call func() error) float64 {
		return testing.AllocsPerRun(500, func() {
			if err := call(); err != nil {
				t.Fatal(err)
			}
		})
	}
	ours := count(func() error { return c.Call(ctx, req, out) })
	raw := count(func() error { return cc.Invoke(ctx, "/echo.Echo/Say", in, out) })
	t.Logf("a call allocates %v times, one of grpc %v", ours, raw)
	if ours > raw+more {
		t.Errorf("a call allocates %v times, one of grpc %v: more than %v more", ours, raw, more)
	}
}

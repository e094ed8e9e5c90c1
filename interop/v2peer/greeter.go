package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	microerrors "github.com/micro/go-micro/v2/errors"
	"github.com/micro/go-micro/v2/metadata"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/rollcall-go/micro/interop/v2peer/greeterpb"
	"github.com/rollcall-go/micro/interop/v2peer/newerpb"
)

// greeter handles what the generated code registers.
type greeter struct{ node string }

func (g *greeter) Hello(_ context.Context, in *greeterpb.HelloRequest, out *greeterpb.HelloReply) error {
	out.Greeting = "Hello " + in.Name
	out.Node = g.node
	out.Asked = in
	return nil
}

func (g *greeter) Headers(ctx context.Context, _ *greeterpb.HeadersRequest, out *greeterpb.HeadersReply) error {
	md, _ := metadata.FromContext(ctx)
	out.Headers = md
	return nil
}

func (g *greeter) Fail(_ context.Context, in *greeterpb.FailRequest, _ *greeterpb.HelloReply) error {
	switch in.How {
	case "error":
		return microerrors.New(in.Id, in.Detail, in.Code)
	case "notfound":
		return microerrors.NotFound(in.Id, "%s", in.Detail)
	case "plain":
		return errors.New(in.Detail)
	case "status":
		return status.Error(codes.Code(in.Code), in.Detail)
	case "panic":
		panic(in.Detail)
	default:
		return fmt.Errorf("fail in an unknown way %q", in.How)
	}
}

func (g *greeter) Wait(ctx context.Context, in *greeterpb.WaitRequest, out *greeterpb.HelloReply) error {
	timer := time.NewTimer(time.Duration(in.Milliseconds) * time.Millisecond)
	defer timer.Stop()
	select {
	case <-timer.C:
		out.Node = g.node
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// counter has a stream.
type counter struct{ node string }

func (c *counter) Count(_ context.Context, in *greeterpb.HelloRequest, stream greeterpb.Counter_CountStream) error {
	for range in.Times {
		if err := stream.Send(&greeterpb.HelloReply{Greeting: "Hello " + in.Name, Node: c.node}); err != nil {
			return err
		}
	}
	return nil
}

// Plain handles requests that are Go structs, which can be sent as JSON alone.
type Plain struct{}

// PlainRequest has one field of each shape that is described in a registration.
type PlainRequest struct {
	Name   string `json:"name"`
	Tags   []string
	Number int64
	Sub    *Outer            `json:"sub"`
	Extra  map[string]string `json:"extra,omitempty"`
	Hidden string            `json:"-"`
	Parts  []*Inner          `json:"parts"`
	Inner  `json:"inner"`
	Ratio  float64 `json:",omitempty"`
	any    interface{}
}

// Outer and Inner are deeper than what is described.
type Outer struct {
	Inner Inner `json:"inner"`
	Flag  bool
}

type Inner struct {
	Word  string
	Deep  struct{ Deeper string }
	Bytes []byte `json:"bytes"`
}

type PlainReply struct {
	Asked *PlainRequest `json:"asked"`
	Text  string        `json:"text"`
}

// Echo gives the request back.
func (*Plain) Echo(_ context.Context, in *PlainRequest, out *PlainReply) error {
	out.Asked = in
	out.Text = "Hello " + in.Name
	return nil
}

// Newer handles messages of a newer generator.
type Newer struct{}

// Ask answers.
func (*Newer) Ask(_ context.Context, in *newerpb.Request, out *newerpb.Reply) error {
	out.Text = "Hello " + in.Name
	return nil
}

package main

import (
	"context"
	"encoding/json"
	"io"
	"strings"

	"github.com/micro/go-micro/v2/client"
	microerrors "github.com/micro/go-micro/v2/errors"

	"github.com/rollcall-go/micro/interop/peer"
	"github.com/rollcall-go/micro/interop/v2peer/greeterpb"
)

// speaker handles the streams of generated code.
type speaker struct{}

func (speaker) Chat(_ context.Context, stream greeterpb.Speaker_ChatStream) error {
	for {
		in, err := stream.Recv()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if in.Name == "fail" {
			return microerrors.NotFound("my.id", "%s", "no book 7")
		}
		if err := stream.Send(&greeterpb.HelloReply{Greeting: in.Name}); err != nil {
			return err
		}
	}
}

func (speaker) Sum(_ context.Context, stream greeterpb.Speaker_SumStream) error {
	var all []string
	for {
		in, err := stream.Recv()
		if err == io.EOF {
			return stream.SendMsg(&greeterpb.HelloReply{Greeting: strings.Join(all, "+")})
		}
		if err != nil {
			return err
		}
		all = append(all, in.Name)
	}
}

// speak opens a stream by generated code, sends the names and returns the greetings.
func (p *program) speak(ctx context.Context, body json.RawMessage, _ func(any)) (any, error) {
	var c peer.Talk
	if err := json.Unmarshal(body, &c); err != nil {
		return nil, err
	}
	ctx, opts := callOptions(ctx, c.Call)
	opts = append(opts, client.WithStreamTimeout(c.Timeout))
	of := greeterpb.NewSpeakerService(c.Service, p.caller)
	if c.Endpoint == "Speaker.Sum" {
		return sum(ctx, of, c.Names, opts)
	}
	stream, err := of.Chat(ctx, opts...)
	if err != nil {
		return nil, describe(err)
	}
	defer stream.Close()
	greetings := []string{}
	for _, name := range c.Names {
		if err := stream.Send(&greeterpb.HelloRequest{Name: name}); err != nil {
			return nil, describe(err)
		}
		out, err := stream.Recv()
		if err != nil {
			return nil, describe(err)
		}
		greetings = append(greetings, out.Greeting)
	}
	if half, ok := stream.(interface{ CloseSend() error }); ok { // which code by v2's generator has not
		if err := half.CloseSend(); err != nil {
			return nil, describe(err)
		}
		if _, err := stream.Recv(); err != io.EOF {
			return nil, describe(err)
		}
	}
	return greetings, nil
}

// sum ends its side where the generated code can.
func sum(ctx context.Context, of greeterpb.SpeakerService, names []string, opts []client.CallOption) (any, error) {
	stream, err := of.Sum(ctx, opts...)
	if err != nil {
		return nil, describe(err)
	}
	defer stream.Close()
	for _, name := range names {
		if err := stream.Send(&greeterpb.HelloRequest{Name: name}); err != nil {
			return nil, describe(err)
		}
	}
	out := new(greeterpb.HelloReply)
	if whole, ok := stream.(interface {
		CloseAndRecv() (*greeterpb.HelloReply, error)
	}); ok {
		out, err = whole.CloseAndRecv()
	} else {
		err = stream.RecvMsg(out)
	}
	if err != nil {
		return nil, describe(err)
	}
	return []string{out.Greeting}, nil
}

package main

import (
	"context"
	"encoding/json"
	"io"
	"strings"

	"github.com/micro/go-micro/v2/client"
	microerrors "github.com/micro/go-micro/v2/errors"
	"github.com/micro/go-micro/v2/metadata"
	"github.com/micro/go-micro/v2/server"

	"github.com/rollcall-go/micro/interop/peer"
	"github.com/rollcall-go/micro/interop/v2peer/greeterpb"
)

// Talk handles streams that are written by hand.
type Talk struct{}

// Chat answers each message. It is told the caller's name in the metadata.
func (*Talk) Chat(ctx context.Context, stream server.Stream) error {
	who, _ := metadata.Get(ctx, "Who")
	for {
		in := new(greeterpb.HelloRequest)
		if err := stream.Recv(in); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		switch in.Name {
		case "fail":
			return microerrors.NotFound("my.id", "%s", "no book 7")
		case "wait":
			<-ctx.Done()
			return ctx.Err()
		}
		if err := stream.Send(&greeterpb.HelloReply{Greeting: in.Name + who}); err != nil {
			return err
		}
	}
}

// Sum answers when all messages are there.
func (*Talk) Sum(_ context.Context, stream server.Stream) error {
	var all []string
	for {
		in := new(greeterpb.HelloRequest)
		if err := stream.Recv(in); err == io.EOF {
			return stream.Send(&greeterpb.HelloReply{Greeting: strings.Join(all, "+")})
		} else if err != nil {
			return err
		}
		all = append(all, in.Name)
	}
}

// talk opens a stream by hand, sends the names and returns the greetings.
func (p *program) talk(ctx context.Context, body json.RawMessage, _ func(any)) (any, error) {
	var c peer.Talk
	if err := json.Unmarshal(body, &c); err != nil {
		return nil, err
	}
	ctx, opts := callOptions(ctx, c.Call)
	opts = append(opts, client.WithStreamTimeout(c.Timeout))
	var of []client.RequestOption
	if c.ContentType != "" {
		of = append(of, client.WithContentType(c.ContentType))
	}
	stream, err := p.caller.Stream(ctx, p.caller.NewRequest(c.Service, c.Endpoint, new(greeterpb.HelloRequest), of...), opts...)
	if err != nil {
		return nil, describe(err)
	}
	defer stream.Close()
	greetings := []string{}
	recv := func() error {
		out := new(greeterpb.HelloReply)
		err := stream.Recv(out)
		if err == nil {
			greetings = append(greetings, out.Greeting)
		}
		return err
	}
	for _, name := range c.Names {
		if err := stream.Send(&greeterpb.HelloRequest{Name: name}); err != nil {
			return nil, describe(err)
		}
		if c.Endpoint == "Talk.Chat" {
			if err := recv(); err != nil {
				return nil, describe(err)
			}
		}
	}
	half, ok := stream.(interface{ CloseSend() error })
	if !ok { // v2 cannot end its side
		return greetings, nil
	}
	if err := half.CloseSend(); err != nil {
		return nil, describe(err)
	}
	for {
		if err := recv(); err == io.EOF {
			return greetings, nil
		} else if err != nil {
			return nil, describe(err)
		}
	}
}

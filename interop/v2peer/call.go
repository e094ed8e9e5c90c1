package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"

	"github.com/golang/protobuf/jsonpb"
	"github.com/golang/protobuf/proto"
	"github.com/micro/go-micro/v2/client"
	"github.com/micro/go-micro/v2/errors"
	"github.com/micro/go-micro/v2/metadata"

	"github.com/rollcall-go/micro/interop/peer"
	"github.com/rollcall-go/micro/interop/v2peer/greeterpb"
	"github.com/rollcall-go/micro/interop/v2peer/newerpb"
)

func (p *program) call(ctx context.Context, body json.RawMessage, _ func(any)) (any, error) {
	var c peer.Call
	if err := json.Unmarshal(body, &c); err != nil {
		return nil, err
	}
	ctx, opts := callOptions(ctx, c)
	in, out := messages(c.Endpoint)
	if err := decode(c.Body, in); err != nil {
		return nil, err
	}
	var err error
	if c.ContentType == "" {
		out, err = p.generated(ctx, c, in, out, opts)
	} else {
		req := p.caller.NewRequest(c.Service, c.Endpoint, in, client.WithContentType(c.ContentType))
		err = p.caller.Call(ctx, req, out, opts...)
	}
	if err != nil {
		return nil, describe(err)
	}
	return encode(out)
}

// generated calls through the generated code, or as that does.
func (p *program) generated(ctx context.Context, c peer.Call, in, out any, opts []client.CallOption) (any, error) {
	g := greeterpb.NewGreeterService(c.Service, p.caller)
	switch c.Endpoint {
	case "Greeter.Hello":
		return g.Hello(ctx, in.(*greeterpb.HelloRequest), opts...)
	case "Greeter.Headers":
		return g.Headers(ctx, in.(*greeterpb.HeadersRequest), opts...)
	case "Greeter.Fail":
		return g.Fail(ctx, in.(*greeterpb.FailRequest), opts...)
	case "Greeter.Wait":
		return g.Wait(ctx, in.(*greeterpb.WaitRequest), opts...)
	}
	return out, p.caller.Call(ctx, p.caller.NewRequest(c.Service, c.Endpoint, in), out, opts...)
}

// count opens a stream by generated code and returns the greetings that it yields.
func (p *program) count(ctx context.Context, body json.RawMessage, _ func(any)) (any, error) {
	var c peer.Call
	if err := json.Unmarshal(body, &c); err != nil {
		return nil, err
	}
	ctx, opts := callOptions(ctx, c)
	in := new(greeterpb.HelloRequest)
	if err := decode(c.Body, in); err != nil {
		return nil, err
	}
	stream, err := greeterpb.NewCounterService(c.Service, p.caller).Count(ctx, in, opts...)
	if err != nil {
		return nil, describe(err)
	}
	defer stream.Close()
	greetings := []string{}
	for {
		reply, err := stream.Recv()
		if err == io.EOF {
			return greetings, nil
		}
		if err != nil {
			return nil, describe(err)
		}
		greetings = append(greetings, reply.Greeting)
	}
}

func callOptions(ctx context.Context, c peer.Call) (context.Context, []client.CallOption) {
	if len(c.Metadata) > 0 {
		ctx = metadata.NewContext(ctx, c.Metadata)
	}
	var opts []client.CallOption
	if c.Timeout > 0 {
		opts = append(opts, client.WithRequestTimeout(c.Timeout))
	}
	if c.Address != "" {
		opts = append(opts, client.WithAddress(c.Address))
	}
	return ctx, opts
}

// messages returns what an endpoint takes and gives.
func messages(endpoint string) (in, out any) {
	switch endpoint {
	case "Greeter.Headers":
		return new(greeterpb.HeadersRequest), new(greeterpb.HeadersReply)
	case "Greeter.Fail":
		return new(greeterpb.FailRequest), new(greeterpb.HelloReply)
	case "Greeter.Wait":
		return new(greeterpb.WaitRequest), new(greeterpb.HelloReply)
	case "Newer.Ask":
		return new(newerpb.Request), new(newerpb.Reply)
	case "Relay.Pass":
		return new(RelayRequest), new(RelayReply)
	case "Plain.Echo":
		return new(PlainRequest), new(PlainReply)
	}
	return new(greeterpb.HelloRequest), new(greeterpb.HelloReply)
}

// decode reads JSON, that of protobuf for its messages.
func decode(body json.RawMessage, v any) error {
	if len(body) == 0 {
		return nil
	}
	if m, ok := v.(proto.Message); ok {
		return jsonpb.Unmarshal(bytes.NewReader(body), m)
	}
	return json.Unmarshal(body, v)
}

// encode is the other direction.
func encode(v any) (any, error) {
	m, ok := v.(proto.Message)
	if !ok {
		return v, nil
	}
	text, err := (&jsonpb.Marshaler{OrigName: true}).MarshalToString(m)
	return json.RawMessage(text), err
}

// describe says what a call failed with.
func describe(err error) error {
	if e, ok := err.(*errors.Error); ok {
		return &peer.Error{ID: e.Id, Code: e.Code, Detail: e.Detail, Status: e.Status}
	}
	return err
}

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"

	"github.com/micro/go-micro/v2/codec"
	codecgrpc "github.com/micro/go-micro/v2/codec/grpc"
	"github.com/micro/go-micro/v2/codec/jsonrpc"
	"github.com/micro/go-micro/v2/codec/protorpc"
	"github.com/micro/go-micro/v2/codec/text"
	"github.com/micro/go-micro/v2/transport"
	transportgrpc "github.com/micro/go-micro/v2/transport/grpc"
	transporthttp "github.com/micro/go-micro/v2/transport/http"

	"github.com/rollcall-go/micro/interop/peer"
	"github.com/rollcall-go/micro/interop/v2peer/greeterpb"
)

var codecs = map[string]codec.NewCodec{
	"grpc": codecgrpc.NewCodec, "json-rpc": jsonrpc.NewCodec, "proto-rpc": protorpc.NewCodec, "text": text.NewCodec,
}

// inMemory is a connection that holds what was written.
type inMemory struct{ bytes.Buffer }

func (*inMemory) Close() error { return nil }

// code writes a message by a codec, or reads one.
func (p *program) code(_ context.Context, body json.RawMessage, _ func(any)) (any, error) {
	var c peer.Coded
	if err := json.Unmarshal(body, &c); err != nil {
		return nil, err
	}
	conn := &inMemory{}
	by := codecs[c.Codec](conn)
	m := &codec.Message{Type: codec.MessageType(c.Type), Id: c.ID, Target: c.Target, Method: c.Method, Endpoint: c.Endpoint, Error: c.Error, Header: c.Header}
	greeting, words := &greeterpb.HelloRequest{Name: c.Text}, c.Text
	var value interface{} = greeting
	if c.Codec == "text" {
		value = &words
	}
	if !c.Read {
		if err := by.Write(m, value); err != nil {
			return nil, err
		}
		return peer.Coded{Wire: conn.Bytes(), Header: m.Header}, nil
	}
	conn.Write(c.Wire)
	m = &codec.Message{Header: c.Header}
	if err := by.ReadHeader(m, codec.MessageType(c.Type)); err != nil {
		return nil, err
	}
	if err := by.ReadBody(value); err != nil {
		return nil, err
	}
	if c.Codec != "text" {
		words = greeting.Name
	}
	return peer.Coded{ID: m.Id, Target: m.Target, Method: m.Method, Endpoint: m.Endpoint, Error: m.Error, Text: words}, nil
}

func transportOf(name string) (transport.Transport, error) {
	switch name {
	case "http":
		return transporthttp.NewTransport(), nil
	case "grpc":
		return transportgrpc.NewTransport(), nil
	}
	return nil, fmt.Errorf("no transport %q", name)
}

// echo listens by a transport, until the program ends, and answers each message by its body.
func (p *program) echo(_ context.Context, body json.RawMessage, _ func(any)) (any, error) {
	var c peer.Carried
	if err := json.Unmarshal(body, &c); err != nil {
		return nil, err
	}
	t, err := transportOf(c.Transport)
	if err != nil {
		return nil, err
	}
	l, err := t.Listen("127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	go func() {
		_ = l.Accept(func(s transport.Socket) {
			defer s.Close()
			for {
				var m transport.Message
				if s.Recv(&m) != nil {
					return
				}
				if s.Send(&transport.Message{Header: map[string]string{"Micro-Id": m.Header["Micro-Id"]}, Body: m.Body}) != nil {
					return
				}
			}
		})
	}()
	return peer.Carried{Address: l.Addr()}, nil
}

// carry sends messages by a transport and returns the answers.
func (p *program) carry(_ context.Context, body json.RawMessage, _ func(any)) (any, error) {
	var c peer.Carried
	if err := json.Unmarshal(body, &c); err != nil {
		return nil, err
	}
	t, err := transportOf(c.Transport)
	if err != nil {
		return nil, err
	}
	conn, err := t.Dial(c.Address)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	answers := peer.Carried{}
	for _, b := range c.Bodies {
		if err := conn.Send(&transport.Message{Header: map[string]string{"Micro-Id": "7"}, Body: b}); err != nil {
			return nil, err
		}
		var m transport.Message
		if err := conn.Recv(&m); err != nil {
			return nil, err
		}
		if m.Header["Micro-Id"] != "7" {
			return nil, fmt.Errorf("headers %v", m.Header)
		}
		answers.Bodies = append(answers.Bodies, m.Body)
	}
	return answers, nil
}

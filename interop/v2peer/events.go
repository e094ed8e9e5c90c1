package main

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/micro/go-micro/v2"
	"github.com/micro/go-micro/v2/broker"
	grpcclient "github.com/micro/go-micro/v2/client/grpc"
	"github.com/micro/go-micro/v2/metadata"
	"github.com/micro/go-micro/v2/server"
	grpcserver "github.com/micro/go-micro/v2/server/grpc"

	"github.com/rollcall-go/micro/interop/peer"
	"github.com/rollcall-go/micro/interop/v2peer/greeterpb"
)

// events is the broker of the program, connected at the first use.
func (p *program) events() (broker.Broker, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.broker == nil {
		b := broker.NewBroker(broker.Registry(p.registry), broker.Addrs("127.0.0.1:0"))
		if err := b.Connect(); err != nil {
			return nil, err
		}
		p.broker = b
	}
	return p.broker, nil
}

func (p *program) publish(ctx context.Context, body json.RawMessage, _ func(any)) (any, error) {
	var c peer.Publication
	if err := json.Unmarshal(body, &c); err != nil {
		return nil, err
	}
	if c.Event {
		ctx = metadata.NewContext(ctx, c.Header)
		event := micro.NewEvent(c.Topic, p.caller)
		for _, name := range c.Bodies {
			if err := event.Publish(ctx, &greeterpb.HelloRequest{Name: string(name)}); err != nil {
				return nil, err
			}
		}
		return nil, nil
	}
	b, err := p.events()
	if err != nil {
		return nil, err
	}
	for _, body := range c.Bodies {
		if err := b.Publish(c.Topic, &broker.Message{Header: c.Header, Body: body}); err != nil {
			return nil, err
		}
	}
	return nil, nil
}

// subscribe emits an empty message once it is subscribed.
func (p *program) subscribe(ctx context.Context, body json.RawMessage, emit func(any)) (any, error) {
	var c peer.Subscription
	if err := json.Unmarshal(body, &c); err != nil {
		return nil, err
	}
	if c.Service != "" {
		return nil, p.serveEvents(ctx, c, emit)
	}
	b, err := p.events()
	if err != nil {
		return nil, err
	}
	var opts []broker.SubscribeOption
	if c.Queue != "" {
		opts = append(opts, broker.Queue(c.Queue))
	}
	s, err := b.Subscribe(c.Topic, func(e broker.Event) error {
		emit(peer.Message{Topic: e.Topic(), Header: e.Message().Header, Body: e.Message().Body})
		return nil
	}, opts...)
	if err != nil {
		return nil, err
	}
	emit(peer.Message{})
	<-ctx.Done()
	return nil, s.Unsubscribe()
}

// serveEvents is subscribe by a service that has a subscriber.
func (p *program) serveEvents(ctx context.Context, c peer.Subscription, emit func(any)) error {
	started := func() error { emit(peer.Message{}); return nil }
	m := micro.NewService(
		micro.Server(grpcserver.NewServer()), micro.Client(grpcclient.NewClient()),
		micro.Name(c.Service), micro.Registry(p.registry), micro.Address("127.0.0.1:0"),
		micro.Context(ctx), micro.HandleSignal(false), micro.AfterStart(started),
	)
	var opts []server.SubscriberOption
	if c.Queue != "" {
		opts = append(opts, server.SubscriberQueue(c.Queue))
	}
	err := micro.RegisterSubscriber(c.Topic, m.Server(), func(ctx context.Context, asked *greeterpb.HelloRequest) error {
		md, _ := metadata.FromContext(ctx)
		emit(peer.Message{Topic: c.Topic, Header: md, Body: []byte(asked.Name)})
		return nil
	}, opts...)
	if err != nil {
		return err
	}
	if err := m.Run(); err != nil {
		return fmt.Errorf("run %q: %v", c.Service, err)
	}
	return nil
}

// stopEvents disconnects the broker.
func (p *program) stopEvents() error {
	if p.broker == nil {
		return nil
	}
	return p.broker.Disconnect()
}

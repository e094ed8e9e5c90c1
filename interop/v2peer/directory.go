package main

import (
	"context"
	"encoding/json"

	"github.com/micro/go-micro/v2/registry"

	"github.com/rollcall-go/micro/interop/peer"
)

func (p *program) list(context.Context, json.RawMessage, func(any)) (any, error) {
	return p.registry.ListServices()
}

func (p *program) get(_ context.Context, body json.RawMessage, _ func(any)) (any, error) {
	var c peer.Name
	if err := json.Unmarshal(body, &c); err != nil {
		return nil, err
	}
	return p.registry.GetService(c.Name)
}

func (p *program) cached(_ context.Context, body json.RawMessage, _ func(any)) (any, error) {
	var c peer.Name
	if err := json.Unmarshal(body, &c); err != nil {
		return nil, err
	}
	return p.cache.GetService(c.Name)
}

// init gives the registry the options that it has, as each Init of a service with
// flags does.
func (p *program) init(context.Context, json.RawMessage, func(any)) (any, error) {
	return nil, p.registry.Init(registry.Addrs(p.registry.Options().Addrs...))
}

// watch emits an empty event once it watches.
func (p *program) watch(ctx context.Context, body json.RawMessage, emit func(any)) (any, error) {
	var c peer.Name
	if err := json.Unmarshal(body, &c); err != nil {
		return nil, err
	}
	var opts []registry.WatchOption
	if c.Name != "" {
		opts = append(opts, registry.WatchService(c.Name))
	}
	w, err := p.registry.Watch(opts...)
	if err != nil {
		return nil, err
	}
	stopped := context.AfterFunc(ctx, w.Stop)
	defer stopped()
	emit(peer.Event{})
	for {
		r, err := w.Next()
		if err != nil {
			return nil, err
		}
		service, err := json.Marshal(r.Service)
		if err != nil {
			return nil, err
		}
		emit(peer.Event{Action: r.Action, Service: service})
	}
}

func (p *program) register(_ context.Context, body json.RawMessage, _ func(any)) (any, error) {
	c, s, err := record(body)
	if err != nil {
		return nil, err
	}
	return nil, p.registry.Register(s, registry.RegisterTTL(c.TTL))
}

func (p *program) deregister(_ context.Context, body json.RawMessage, _ func(any)) (any, error) {
	_, s, err := record(body)
	if err != nil {
		return nil, err
	}
	return nil, p.registry.Deregister(s)
}

func record(body json.RawMessage) (peer.Record, *registry.Service, error) {
	var c peer.Record
	if err := json.Unmarshal(body, &c); err != nil {
		return c, nil, err
	}
	s := new(registry.Service)
	return c, s, json.Unmarshal(c.Service, s)
}

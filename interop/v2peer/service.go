package main

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"

	"github.com/micro/go-micro/v2"
	"github.com/micro/go-micro/v2/broker"
	"github.com/micro/go-micro/v2/client"
	grpcclient "github.com/micro/go-micro/v2/client/grpc"
	"github.com/micro/go-micro/v2/registry"
	"github.com/micro/go-micro/v2/registry/cache"
	"github.com/micro/go-micro/v2/server"
	grpcserver "github.com/micro/go-micro/v2/server/grpc"
	microsync "github.com/micro/go-micro/v2/sync"

	"github.com/rollcall-go/micro/interop/peer"
	"github.com/rollcall-go/micro/interop/v2peer/greeterpb"
)

// program carries out the commands.
type program struct {
	registry registry.Registry
	cache    cache.Cache // of the registry
	caller   client.Client
	secured  []server.Option // of the services, for TLS

	mu      sync.Mutex
	running map[string]*service
	broker  broker.Broker             // nil before its first use
	locks   map[string]microsync.Sync // by address of etcd
}

// service is one that runs.
type service struct {
	cancel context.CancelFunc
	ended  chan struct{}
	err    error // what Run returned, valid after ended
}

func (p *program) start(ctx context.Context, body json.RawMessage, _ func(any)) (any, error) {
	var spec peer.Service
	if err := json.Unmarshal(body, &spec); err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, ok := p.running[spec.Name]; ok {
		return nil, fmt.Errorf("service %q runs already", spec.Name)
	}
	var guarded []micro.Option
	if spec.PublicKey != "" {
		a, err := guard(spec.PublicKey)
		if err != nil {
			return nil, err
		}
		guarded = append(guarded, micro.Auth(a))
	}
	ctx, cancel := context.WithCancel(ctx)
	s := &service{cancel: cancel, ended: make(chan struct{})}
	started := make(chan struct{})

	address := spec.Address
	if address == "" {
		address = "127.0.0.1:0"
	}
	var opts []micro.Option
	if len(p.running) > 0 {
		// The first one has the process's own server and client.
		opts = append(opts, micro.Server(grpcserver.NewServer()), micro.Client(grpcclient.NewClient()))
	}
	opts = append(opts,
		micro.Name(spec.Name),
		micro.Version(spec.Version),
		micro.Metadata(spec.Metadata),
		micro.Registry(p.registry),
		micro.RegisterTTL(spec.TTL),
		micro.RegisterInterval(spec.Interval),
		micro.Address(address),
		micro.Context(ctx),
		micro.HandleSignal(false),
		func(o *micro.Options) { _ = o.Server.Init(p.secured...) },
		micro.AfterStart(func() error { close(started); return nil }),
	)
	m := micro.NewService(append(opts, guarded...)...)
	if spec.ID != "" {
		if err := m.Server().Init(server.Id(spec.ID)); err != nil {
			return nil, err
		}
	}
	if spec.Advertise != "" {
		if err := m.Server().Init(server.Advertise(spec.Advertise)); err != nil {
			return nil, err
		}
	}
	if err := p.handle(m.Server(), spec); err != nil {
		return nil, err
	}
	go func() {
		defer close(s.ended)
		s.err = m.Run()
	}()
	select {
	case <-started:
		p.running[spec.Name] = s
		return nil, nil
	case <-s.ended:
		cancel()
		return nil, fmt.Errorf("run %q: %v", spec.Name, s.err)
	}
}

// handle adds the handlers.
func (p *program) handle(s server.Server, spec peer.Service) error {
	node := s.Options().Name + "-" + s.Options().Id
	if err := greeterpb.RegisterGreeterHandler(s, &greeter{node: node}); err != nil {
		return err
	}
	if err := micro.RegisterHandler(s, new(Plain)); err != nil {
		return err
	}
	if spec.Counter {
		if err := greeterpb.RegisterCounterHandler(s, &counter{node: node}); err != nil {
			return err
		}
		if err := greeterpb.RegisterSpeakerHandler(s, speaker{}); err != nil {
			return err
		}
		if err := micro.RegisterHandler(s, new(Talk)); err != nil {
			return err
		}
	}
	if spec.Relay {
		if err := micro.RegisterHandler(s, &Relay{p.caller}); err != nil {
			return err
		}
	}
	if spec.Newer {
		return micro.RegisterHandler(s, new(Newer))
	}
	return nil
}

func (p *program) stop(_ context.Context, body json.RawMessage, _ func(any)) (any, error) {
	var spec peer.Name
	if err := json.Unmarshal(body, &spec); err != nil {
		return nil, err
	}
	p.mu.Lock()
	s, ok := p.running[spec.Name]
	delete(p.running, spec.Name)
	p.mu.Unlock()
	if !ok {
		return nil, fmt.Errorf("service %q does not run", spec.Name)
	}
	s.cancel()
	<-s.ended
	return nil, s.err
}

// stopAll waits for the services that still run. Their context is done.
func (p *program) stopAll() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, s := range p.running {
		<-s.ended
	}
}

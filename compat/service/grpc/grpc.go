// Package grpc makes services as go-micro v2's service/grpc did: with a client and a
// server of their own, and without a command line. It is frozen: new code makes its
// services with package micro, which runs those of this package as well.
package grpc

import (
	"crypto/tls"
	"sync"

	"github.com/rollcall-go/micro"
	"github.com/rollcall-go/micro/client"
	cgrpc "github.com/rollcall-go/micro/client/grpc"
	"github.com/rollcall-go/micro/compat/service"
	"github.com/rollcall-go/micro/config/cmd"
	"github.com/rollcall-go/micro/server"
	sgrpc "github.com/rollcall-go/micro/server/grpc"
)

// NewService returns a service that is set up with the options. It starts nothing, and
// reads neither flags nor variables.
func NewService(opts ...service.Option) service.Service {
	own := []service.Option{service.Client(cgrpc.NewClient()), service.Server(sgrpc.NewServer())}
	return &grpcService{opts: service.NewOptions(append(own, opts...)...)}
}

// WithTLS sets the TLS of the service's client and server. Both may write to t once they
// have it: it is not to be shared.
func WithTLS(t *tls.Config) service.Option {
	return func(o *service.Options) {
		for _, err := range []error{o.Client.Init(cgrpc.AuthTLS(t)), o.Server.Init(sgrpc.AuthTLS(t))} {
			if err != nil {
				service.BeforeStart(func() error { return err })(o)
			}
		}
	}
}

type grpcService struct {
	mu   sync.Mutex
	opts service.Options
	runs startStopper // since the first Start
}

// startStopper is what package micro returns.
type startStopper interface {
	micro.Service
	Start() error
	Stop() error
}

func (s *grpcService) Name() string { return s.Options().Server.Options().Name }

func (s *grpcService) String() string { return "grpc" }

func (s *grpcService) Init(opts ...service.Option) {
	o := s.Options()
	for _, opt := range opts {
		opt(&o)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.opts = o
}

func (s *grpcService) Options() service.Options {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.opts
}

func (s *grpcService) Client() client.Client { return s.Options().Client }

func (s *grpcService) Server() server.Server { return s.Options().Server }

// Start starts the service without waiting for its end.
func (s *grpcService) Start() error { return s.running().Start() }

// Stop stops a service that Start started.
func (s *grpcService) Stop() error { return s.running().Stop() }

func (s *grpcService) Run() error { return s.running().Run() }

// running returns the service of package micro that is made of the options, as they are
// when it is first asked for.
func (s *grpcService) running() startStopper {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.runs == nil {
		o := s.opts
		opts := []micro.Option{micro.Client(o.Client), micro.Server(o.Server), micro.Context(o.Context), micro.Cmd(cmd.NewCmd())}
		opts = append(opts, each(micro.BeforeStart, o.BeforeStart)...)
		opts = append(opts, each(micro.AfterStart, o.AfterStart)...)
		opts = append(opts, each(micro.BeforeStop, o.BeforeStop)...)
		opts = append(opts, each(micro.AfterStop, o.AfterStop)...)
		s.runs = micro.NewService(opts...).(startStopper)
	}
	return s.runs
}

func each(option func(func() error) micro.Option, fns []func() error) []micro.Option {
	var opts []micro.Option
	for _, fn := range fns {
		opts = append(opts, option(fn))
	}
	return opts
}

package micro

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/rollcall-go/micro/auth"
	"github.com/rollcall-go/micro/broker"
	"github.com/rollcall-go/micro/client"
	"github.com/rollcall-go/micro/config"
	"github.com/rollcall-go/micro/config/cmd"
	"github.com/rollcall-go/micro/internal/ability"
	"github.com/rollcall-go/micro/internal/interrupt"
	"github.com/rollcall-go/micro/internal/wiring"
	"github.com/rollcall-go/micro/internal/wrapping"
	"github.com/rollcall-go/micro/logger"
	"github.com/rollcall-go/micro/registry"
	"github.com/rollcall-go/micro/server"
	"github.com/rollcall-go/micro/store"
)

// service is the Service of this package.
type service struct {
	name  *name
	guard guard
	parse sync.Once // the command line
	debug debugging

	mu   sync.Mutex
	opts Options
	// chosen are the parts that were given to the service, in code or by a flag.
	chosen given
	// err is what went wrong while the service was set up; Run returns it.
	err error
	// made are the parts that the service made itself and closes.
	made []io.Closer
}

var _ Service = (*service)(nil)

func newService(opts ...Option) *service {
	s := &service{name: &name{}, debug: debugging{done: make(chan struct{})}, opts: Options{
		Context:  context.Background(), // never done: the service then ends by signal alone
		Signal:   true,
		Auth:     auth.DefaultAuth,
		Broker:   broker.DefaultBroker,
		Config:   config.DefaultConfig,
		Registry: registry.DefaultRegistry,
		Store:    store.DefaultStore,
	}}
	offer := offerParts(&s.opts)
	for _, o := range opts {
		o(&s.opts)
	}
	s.made = offer.settle(&s.opts)
	s.apply()
	s.guard.place = len(s.opts.Server.Options().HdlrWrappers)
	s.judge()
	// Around what the program wraps: the name goes on the call before the
	// program's wrappers see it, and an answer from the cache spares them.
	named := &named{Client: s.opts.Client, name: s.name}
	s.opts.Client = s.showing(wrapping.Cached(func() *client.Cache { return named.Options().Cache }, named))
	return s
}

func (s *service) Name() string { return s.name.get() }

func (s *service) String() string { return "micro" }

func (s *service) Options() Options {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.opts
}

func (s *service) Client() client.Client { return s.Options().Client }

func (s *service) Server() server.Server { return s.Options().Server }

func (s *service) Init(opts ...Option) {
	s.apply(opts...)
	s.parse.Do(s.commandLine)
	s.judge()
	s.identify()
}

// identify tells the configuration for whom it is read. Before the command line is
// parsed nobody knows.
func (s *service) identify() {
	o := s.Options()
	wiring.SetInstance(o.Config, o.Server)
}

// apply applies options and carries out what they recorded: each part hears of
// its settings and of the other parts, whatever the order in which the options
// came. What the program wrote may ask the service meanwhile, and gets what was
// in force before.
func (s *service) apply(opts ...Option) {
	o := s.Options()
	for _, opt := range opts {
		opt(&o)
	}
	p := o.pending
	o.pending = pending{}
	s.mu.Lock()
	chosen := s.chosen.and(p.given)
	s.chosen = chosen
	s.mu.Unlock()
	if p.parts {
		p.given = chosen // a new server or client has heard of nothing yet
	}
	var errs []error
	failed := func(part string, err error) {
		if err != nil {
			errs = append(errs, fmt.Errorf("set up %s: %w", part, err))
		}
	}
	if p.given.broker {
		p.server = append(p.server, server.Broker(o.Broker))
		p.client = append(p.client, client.Broker(o.Broker))
	}
	if p.given.auth {
		p.server = append(p.server, server.Auth(o.Auth))
	}
	if p.given.transport {
		p.server = append(p.server, server.Transport(o.Transport))
		p.client = append(p.client, client.Transport(o.Transport))
	}
	if len(p.server) > 0 {
		failed("the server", o.Server.Init(p.server...))
	}
	if len(p.client) > 0 {
		failed("the client", o.Client.Init(p.client...))
	}
	if p.given.registry || p.given.broker && chosen.registry {
		failed("the service", wiring.SetRegistry(o.Registry, o.Server, o.Client, o.Broker))
	}
	for _, w := range p.wrappers {
		o.Client = w(o.Client)
	}
	if app := o.Cmd.App(); app != nil {
		app.Flags = append(app.Flags, p.flags...)
		if p.action != nil {
			app.Action = p.action
		}
	}
	s.name.set(o.Server.Options())
	s.mu.Lock()
	defer s.mu.Unlock()
	s.opts = o
	s.err = errors.Join(append([]error{s.err}, errs...)...)
}

// commandLine applies the flags and variables. Wrong ones end the process.
func (s *service) commandLine() {
	o := s.Options()
	before, stored := o.Registry, o.Store
	err := o.Cmd.Init(
		cmd.Name(s.Name()), cmd.Version(o.Server.Options().Version),
		cmd.Broker(&o.Broker), cmd.Registry(&o.Registry), cmd.Transport(&o.Transport),
		cmd.Client(&o.Client), cmd.Server(&o.Server), cmd.Config(&o.Config),
		cmd.Auth(&o.Auth), cmd.Store(&o.Store), cmd.Profile(&o.Profile),
	)
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil {
		s.err = errors.Join(s.err, fmt.Errorf("set up the command line: %w", err))
	}
	s.opts.Broker, s.opts.Registry, s.opts.Transport = o.Broker, o.Registry, o.Transport
	s.opts.Client, s.opts.Server, s.opts.Config = o.Client, o.Server, o.Config
	s.opts.Auth, s.opts.Store, s.opts.Profile = o.Auth, o.Store, o.Profile
	if !ability.Same(o.Store, stored) { // before the registry, whose connection it may use
		s.made = append(s.made, o.Store)
	}
	if !ability.Same(o.Registry, before) {
		s.chosen.registry = true
		if _, ok := o.Registry.(io.Closer); ok {
			s.made = append(s.made, chosenRegistry{o.Registry})
		}
	}
	s.name.set(o.Server.Options())
}

// Start starts the service without waiting for its end.
func (s *service) Start() error {
	s.identify() // of a service that was never initialized, or was renamed by its server
	s.judge()    // by what the server was given past the service
	o := s.Options()
	if err := runAll(o.BeforeStart, true); err != nil {
		return err
	}
	s.debug.add(o)
	if err := o.Server.Start(); err != nil {
		return err
	}
	if err := runAll(o.AfterStart, true); err != nil {
		// What has started must not stay behind, registered and served by nobody.
		s.debug.end()
		return errors.Join(err, o.Server.Stop())
	}
	return nil
}

// Stop stops a service that Start started. Each part is stopped, whatever the
// others return.
func (s *service) Stop() error {
	o := s.Options()
	before := runAll(o.BeforeStop, false)
	s.debug.end()
	stop := o.Server.Stop()
	wiring.Leave(o.Config)
	return errors.Join(before, stop, runAll(o.AfterStop, false))
}

func (s *service) Run() (err error) {
	defer func() { err = errors.Join(err, s.Close()) }()
	s.mu.Lock()
	err = s.err
	s.mu.Unlock()
	o := s.Options()
	if err == nil {
		err = ability.Check(o.Server.Options().Registry)
	}
	if c, ok := o.Server.Options().Auth.(interface{ Err() error }); ok && err == nil {
		err = c.Err()
	}
	if err != nil {
		return fmt.Errorf("run %q: %w", s.Name(), err)
	}
	ctx := o.Context
	if o.Signal {
		var release func()
		ctx, release = interrupt.Until(ctx)
		defer release()
	}

	stopProfile, err := profiled(o.Profile)
	if err != nil {
		return fmt.Errorf("run %q: %w", s.Name(), err)
	}
	defer func() { err = errors.Join(err, stopProfile()) }()
	logger.Infof("Starting [service] %s", s.Name())
	if err := s.Start(); err != nil {
		return err
	}
	<-ctx.Done()
	return s.Stop()
}

// Close closes what the service made itself. It is for whoever has a service that is
// never run; Run closes by itself.
func (s *service) Close() error {
	s.mu.Lock()
	made := s.made
	s.made = nil
	s.mu.Unlock()
	var err error
	for _, c := range made {
		err = errors.Join(err, c.Close())
	}
	return err
}

// runAll runs the functions in order, up to the first error if that is to stop
// it, and otherwise all of them.
func runAll(fns []func() error, stopAtError bool) error {
	var all error
	for _, fn := range fns {
		err := fn()
		if err != nil && stopAtError {
			return err
		}
		all = errors.Join(all, err)
	}
	return all
}

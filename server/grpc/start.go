package grpc

import (
	"context"
	stderrors "errors"
	"fmt"
	"math"
	"net"

	"golang.org/x/net/netutil"
	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	"google.golang.org/grpc/keepalive"

	"github.com/rollcall-go/micro/internal/announce"
	"github.com/rollcall-go/micro/internal/defaults"
	"github.com/rollcall-go/micro/internal/rpc"
	"github.com/rollcall-go/micro/logger"
)

// Start listens, serves in the background, and begins to register, which goes on
// for as long as it takes. It returns when the server is registered, and otherwise
// after the time of RegistrationWait: a registry that is away holds nobody up.
//
// It returns an error, with nothing begun, for what can never work: an address that
// cannot be listened on or that callers cannot use, a registry that says it cannot
// be used, subscribers without a broker, a service registered twice. A broker that is
// away is no error: the server says so in the log, serves calls, and tries again.
// Starting a server that runs does nothing.
func (s *grpcServer) Start() error {
	r, err := s.start()
	if err != nil {
		return fmt.Errorf("start the server: %w", err)
	}
	r.announced.Await(r.settings.wait)
	return nil
}

// start returns the running server.
func (s *grpcServer) start() (*run, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch s.phase {
	case running:
		return s.run, nil
	case stopped:
		return nil, stderrors.New("it has been stopped; make another one")
	}
	if err := s.startable(); err != nil {
		return nil, err
	}
	set := settingsOf(s.opts.Context)
	l, err := announce.Listen(s.opts.Address, s.opts.Advertise, set.listener)
	if err != nil {
		return nil, err
	}
	logger.Infof("Server [grpc] Listening on %s", l.Addr())
	s.opts.Address = l.Addr().String()
	s.phase = running
	s.run = s.begin(l)
	return s.run, nil
}

// startable returns what keeps the server from starting.
func (s *grpcServer) startable() error {
	if len(s.serviceErrs) > 0 {
		return stderrors.Join(s.serviceErrs...)
	}
	if len(s.subscribers) > 0 {
		if err := subscribable(s.opts.Broker); err != nil {
			return fmt.Errorf("subscribe to topic %q: %w", s.subscribers[0].topic, err)
		}
	}
	if s.opts.Registry == nil {
		return stderrors.New("it has no registry; give it one with server.Registry")
	}
	if err := security(s.opts).Check(); err != nil {
		return fmt.Errorf("set up TLS: %w", err)
	}
	return node(s.opts).Check()
}

// run is a server at work, from Start to Stop.
//
// Goroutines: Serve of the grpc.Server, that of the doorkeeper, and what the announcement
// and the subscriptions have.
// stopAll ends them and waits for them.
type run struct {
	grpc         *grpc.Server
	door         *doorkeeper
	interceptors *interceptors
	open         *streams
	health       *health.Server
	announced    *announce.Announcement
	events       *subscriptions
	settings     *serverSettings

	servingDone chan struct{} // closed when the server accepts no more
	stop        func() error  // stops once, and tells every caller how that went
}

// begin serves on l and begins to register. The caller holds mu.
func (s *grpcServer) begin(l net.Listener) *run {
	i := &interceptors{calls: &s.calls, recovery: &s.recovery, methods: make(map[string]method), streams: endlessStreams{endC: make(chan struct{})}}
	door := newDoorkeeper(security(s.opts))
	r := &run{
		grpc:         grpc.NewServer(s.grpcOptions(i, door)...),
		door:         door,
		interceptors: i,
		open:         &s.streams,
		settings:     settingsOf(s.opts.Context),
		servingDone:  make(chan struct{}),
	}
	s.registerServices(r.grpc, i)
	r.health = registerHealth(r.grpc)
	if r.settings.reflection {
		s.registerReflection(r.grpc)
	}
	limited := l
	if n := r.settings.maxConn; n > 0 {
		limited = netutil.LimitListener(l, n)
	}
	go func() {
		defer close(r.servingDone)
		if err := r.grpc.Serve(limited); err != nil {
			r.health.Shutdown()
			logger.Errorf("Server [grpc] Accepts no more connections on %s: %v", l.Addr(), err)
		}
	}()
	r.events = newSubscriptions(s.opts.Broker, &s.calls, s.subscribers)
	r.announced = announce.Start(announce.Config{
		Kind:      s.String(),
		Listener:  l,
		Registry:  s.opts.Registry,
		Node:      s.node,
		Check:     func() func(context.Context) error { return s.check(r) },
		Closed:    r.servingDone,
		TTL:       s.opts.RegisterTTL,
		Interval:  s.opts.RegisterInterval,
		Generated: s.opts.Id == s.ownID,
		Events:    r.settings.events,
		Ready:     r.setReadiness,
	})
	return r
}

// check returns the program's own check, as it is now, and before it whatever the node
// is not to be registered without.
func (s *grpcServer) check(r *run) func(context.Context) error {
	own := s.Options().RegisterCheck
	return func(ctx context.Context) error {
		r.events.awaitFirst(ctx)
		if own == nil {
			return nil
		}
		return own(ctx)
	}
}

// grpcOptions returns the options of the grpc.Server: the defaults, those of the
// program, and those without which nothing would work.
func (s *grpcServer) grpcOptions(i *interceptors, door *doorkeeper) []grpc.ServerOption {
	set := settingsOf(s.opts.Context)
	sizes := []grpc.ServerOption{grpc.MaxRecvMsgSize(set.limit()), grpc.MaxSendMsgSize(set.limit())}
	opts := append(i.options(),
		// Clients may probe a silent connection more often than gRPC lets them.
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: defaults.KeepaliveMinTime, PermitWithoutStream: true}),
		grpc.KeepaliveParams(keepalive.ServerParameters{Time: defaults.ClientProbeTime, Timeout: defaults.ClientProbeTimeout}),
		grpc.MaxHeaderListSize(defaults.MaxHeaderListSize),
		grpc.ConnectionTimeout(defaults.HandshakeTimeout),
		grpc.MaxConcurrentStreams(defaults.MaxConcurrentStreams),
	)
	opts = append(opts, sizes...)
	opts = append(opts, set.grpc...)
	if set.maxMsgSize > 0 {
		opts = append(opts, sizes...)
	}
	if n := set.maxHeaderListSize; n > 0 {
		opts = append(opts, grpc.MaxHeaderListSize(uint32(min(n, math.MaxInt32))))
	}
	if n := set.maxStreams; n > 0 {
		opts = append(opts, grpc.MaxConcurrentStreams(uint32(min(n, math.MaxInt32))))
	}
	opts = append(opts, door.options()...)
	return append(opts, grpc.ForceServerCodecV2(guardedCodec{rpc.Proto, &s.recovery}), grpc.UnknownServiceHandler(s.serve))
}

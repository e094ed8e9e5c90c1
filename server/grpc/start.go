package grpc

import (
	"context"
	"crypto/tls"
	stderrors "errors"
	"fmt"
	"net"

	"golang.org/x/net/netutil"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/health"
	"google.golang.org/grpc/keepalive"

	"github.com/rollcall-go/micro/internal/ability"
	"github.com/rollcall-go/micro/internal/defaults"
	"github.com/rollcall-go/micro/internal/enroll"
	"github.com/rollcall-go/micro/internal/netaddr"
	"github.com/rollcall-go/micro/internal/record"
	"github.com/rollcall-go/micro/internal/rpc"
	"github.com/rollcall-go/micro/logger"
	"github.com/rollcall-go/micro/server"
)

// Start listens, serves in the background, and begins to register, which goes on
// for as long as it takes. It returns an error, with nothing begun, for what can
// never work: an address that cannot be listened on, a registry that says it
// cannot be used, a subscriber, a service registered twice. Starting a server that
// runs does nothing.
func (s *grpcServer) Start() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch s.phase {
	case running:
		return nil
	case stopped:
		return stderrors.New("start the server: it has been stopped; make another one")
	}
	if err := s.startable(); err != nil {
		return fmt.Errorf("start the server: %w", err)
	}
	l, err := listen(s.opts)
	if err != nil {
		return fmt.Errorf("start the server: %w", err)
	}
	logger.Infof("Server [grpc] Listening on %s", l.Addr())
	s.opts.Address = l.Addr().String()
	warnOfStreams(s.table.Handlers()...)
	s.phase = running
	s.run = s.begin(l)
	return nil
}

// startable returns what keeps the server from starting.
func (s *grpcServer) startable() error {
	if len(s.serviceErrs) > 0 {
		return stderrors.Join(s.serviceErrs...)
	}
	if len(s.subscribers) > 0 {
		return unsupported(s.subscribers[0])
	}
	if s.opts.Registry == nil {
		return stderrors.New("it has no registry; give it one with server.Registry")
	}
	if err := record.CheckName(s.opts.Name); err != nil {
		return err
	}
	if a := s.opts.Advertise; a != "" {
		if err := netaddr.Check(a, false); err != nil {
			return fmt.Errorf("advertise %q: %w", a, err)
		}
	}
	if c := s.opts.AdvertiseCIDR; c != "" {
		if _, err := netaddr.ParseCIDR(c); err != nil {
			return fmt.Errorf("advertise an address within a network: %w", err)
		}
	}
	return ability.Check(s.opts.Registry)
}

func listen(o server.Options) (net.Listener, error) {
	set := settingsOf(o.Context)
	l := set.listener
	if l == nil {
		var err error
		if l, err = net.Listen("tcp", o.Address); err != nil {
			return nil, fmt.Errorf("listen on %q: %w", o.Address, err)
		}
	}
	if set.maxConn > 0 {
		l = netutil.LimitListener(l, set.maxConn)
	}
	return l, nil
}

// run is a server at work, from Start to Stop.
type run struct {
	grpc     *grpc.Server
	health   *health.Server
	enrolled *enroll.Enrollment
	settings *serverSettings
	quit     chan struct{} // closed by Stop; ends followReadiness
	ended    chan struct{} // closed when followReadiness has returned
	served   chan struct{} // closed when the server accepts no more
	stop     func() error  // stops once, and tells every caller how that went
}

// begin serves on l and begins to register. The caller holds mu.
func (s *grpcServer) begin(l net.Listener) *run {
	r := &run{
		grpc:     grpc.NewServer(s.grpcOptions()...),
		settings: settingsOf(s.opts.Context),
		quit:     make(chan struct{}),
		ended:    make(chan struct{}),
		served:   make(chan struct{}),
	}
	s.registerServices(r.grpc)
	r.health = registerHealth(r.grpc)
	s.registerReflection(r.grpc)
	go func() {
		defer close(r.served)
		if err := r.grpc.Serve(l); err != nil {
			r.health.Shutdown()
			logger.Errorf("Server [grpc] accepts no more connections on %s: %v", l.Addr(), err)
		}
	}()
	r.enrolled = enroll.Start(enroll.Config{
		Registry:  s.opts.Registry,
		Describe:  s.record,
		Check:     func(ctx context.Context) error { return s.check(ctx, r.served) },
		TTL:       s.opts.RegisterTTL,
		Interval:  s.opts.RegisterInterval,
		Generated: s.opts.Id == s.ownID,
	})
	go func() {
		defer close(r.ended)
		followReadiness(r.health, r.enrolled, r.quit)
	}()
	return r
}

// grpcOptions returns the options of the grpc.Server: the defaults, those of the
// program, and those without which nothing would work.
func (s *grpcServer) grpcOptions() []grpc.ServerOption {
	set := settingsOf(s.opts.Context)
	limits := []grpc.ServerOption{grpc.MaxRecvMsgSize(set.limit()), grpc.MaxSendMsgSize(set.limit())}
	// Clients may probe a silent connection more often than gRPC lets them.
	probes := grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: defaults.KeepaliveMinTime, PermitWithoutStream: true})
	opts := append(guards(), probes)
	opts = append(opts, limits...)
	opts = append(opts, set.grpc...)
	if set.maxMsgSize > 0 {
		opts = append(opts, limits...)
	}
	if c := tlsConfig(s.opts); c != nil {
		// Adds the protocol name without which current gRPC clients refuse.
		opts = append(opts, grpc.Creds(credentials.NewTLS(c)))
	}
	return append(opts, grpc.ForceServerCodecV2(rpc.Proto), grpc.UnknownServiceHandler(s.serve))
}

func tlsConfig(o server.Options) *tls.Config {
	set := settingsOf(o.Context)
	if set.tls != nil || set.listener != nil {
		return set.tls
	}
	return o.TLSConfig
}

// check looks whether the server still accepts connections, and asks the program's
// own check, as it is at the time.
func (s *grpcServer) check(ctx context.Context, served <-chan struct{}) error {
	select {
	case <-served:
		return stderrors.New("the server accepts no more connections")
	default:
	}
	if check := s.Options().RegisterCheck; check != nil {
		return check(ctx)
	}
	return nil
}

// Ready returns nil while the server is registered, and otherwise an error that
// says why it is not.
func (s *grpcServer) Ready() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch s.phase {
	case idle:
		return stderrors.New("the server has not been started")
	case stopped:
		return stderrors.New("the server has been stopped")
	}
	return s.run.enrolled.Ready()
}

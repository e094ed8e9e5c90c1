// Package embedded runs an etcd inside the calling process: one member, alone or
// of a cluster, whose data is in one directory, and that answers clients over gRPC
// and HTTP on one port. It links the etcd server, so only the micro command may import it;
// services reach an etcd through its client.
package embedded

import (
	"context"
	"errors"
	"fmt"
	"net"
	"syscall"
	"time"

	"go.etcd.io/etcd/api/v3/version"
	"go.etcd.io/etcd/server/v3/embed"
	"go.uber.org/zap"
	"google.golang.org/grpc"
)

// Version returns the version of the etcd that is linked in.
func Version() string { return version.Version }

// Server is a running etcd. Its methods may be called from several goroutines.
type Server struct {
	etcd *embed.Etcd
	log  *lineCore
	open *streams
	addr string
	// advertised is what addr is for others, where that names no host.
	advertised string
	dataDir    string
	failed     chan error
	stopped    chan struct{}
}

// abandonAfter is how long a start that is to end may take to notice.
const abandonAfter = time.Second

// Start runs an etcd and returns when it answers clients, or with the reason why
// it does not. ctx bounds the start alone; a Server is ended by Stop.
//
// Where ctx ends while files are read or etcd is half way, or where damage in the
// data directory that the check before the start does not find makes etcd give up
// half way, Start returns an error all the same, but goroutines of that etcd may be
// left behind and its port and files in use until the process ends.
func Start(ctx context.Context, cfg Config) (*Server, error) {
	cfg = cfg.withDefaults()
	level, err := parseLevel(cfg.LogLevel)
	if err != nil {
		return nil, err
	}
	all, err := parseCluster(cfg.InitialCluster)
	if err != nil {
		return nil, err
	}
	s := &Server{
		log:     newLineCore(cfg.Log, level),
		open:    newStreams(),
		dataDir: cfg.DataDir,
		failed:  make(chan error, 1),
		stopped: make(chan struct{}),
	}
	parking := newParkingHook()
	ec, err := cfg.etcd(zap.New(s.log, zap.WithFatalHook(parking), zap.WithPanicHook(parking)), all)
	if err != nil {
		return nil, err
	}
	succeeded := s.log.during(ctx)
	if err := s.begin(ctx, cfg, ec, all, parking.failed); err != nil {
		s.log.close()
		return nil, err
	}
	succeeded()
	s.addr, s.advertised = s.etcd.Clients[0].Addr().String(), ec.AdvertiseClientUrls[0].Host
	go s.watch(parking.failed)
	return s, nil
}

// begin starts the etcd and waits until it takes part in its cluster. What etcd
// cannot recover from comes from parked.
func (s *Server) begin(ctx context.Context, cfg Config, ec *embed.Config, all cluster, parked <-chan error) error {
	if err := chooseFreePort(ec); err != nil {
		return err
	}
	guardHTTP(ec)
	ec.GRPCAdditionalServerOptions = append(programsOnly(), grpc.ChainStreamInterceptor(s.open.intercept))
	type outcome struct {
		etcd *embed.Etcd
		err  error
	}
	// Reading files can take long, or for ever where they are no files.
	started := make(chan outcome, 1)
	go func() {
		e, err := startChecked(ctx, cfg, ec, all)
		started <- outcome{e, err}
	}()
	abandoned, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(abandonAfter, cancel) })()
	select {
	case o := <-started:
		if o.err != nil {
			return o.err
		}
		s.etcd = o.etcd
		return join(ctx, s.etcd, cfg, all.without(cfg.Name), parked)
	case err := <-parked:
		return damaged(cfg.DataDir, err)
	case <-abandoned.Done():
		return tooLate(ctx, cfg)
	}
}

func tooLate(ctx context.Context, cfg Config) error {
	return fmt.Errorf("start etcd in %q: not done in time: %w", cfg.DataDir, context.Cause(ctx))
}

// startChecked starts the etcd if its certificates can be read and its data are
// sound and its own.
func startChecked(ctx context.Context, cfg Config, ec *embed.Config, all cluster) (*embed.Etcd, error) {
	if err := checkCertificates(cfg); err != nil {
		return nil, err
	}
	began, err := prepareDataDir(cfg.DataDir)
	if err != nil {
		return nil, err
	}
	if began.nothing && len(all) <= 1 {
		if err := clearStart(cfg.DataDir); err != nil {
			return nil, err
		}
		began = beginning{}
	}
	if err := checkIdentity(cfg, all, began.metadata); err != nil {
		return nil, err
	}
	if ctx.Err() != nil {
		return nil, tooLate(ctx, cfg)
	}
	e, err := startRecovered(ec)
	if err != nil {
		return nil, explainStart(ec, err)
	}
	return e, nil
}

// Addr returns the host:port on which clients are served.
func (s *Server) Addr() string { return s.addr }

// AdvertisedAddr returns the host:port that clients are told to connect to.
func (s *Server) AdvertisedAddr() string { return s.advertised }

// DataDir returns the directory that holds the data.
func (s *Server) DataDir() string { return s.dataDir }

// Failed delivers one error when the etcd cannot go on, for example because the
// disk is full. The process should end then: what is left of that etcd answers
// nobody.
func (s *Server) Failed() <-chan error { return s.failed }

// Stop ends the etcd: it answers what was asked, ends the watches, closes its
// connections and its files. It returns when all of that is done or with an error when ctx is; the
// rest is then done in the background. Stop must be called once.
func (s *Server) Stop(ctx context.Context) error {
	s.log.close()
	s.open.end()
	go func() {
		s.etcd.Close()
		close(s.stopped)
	}()
	select {
	case <-s.stopped:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("stop etcd in %q: %w", s.dataDir, context.Cause(ctx))
	}
}

// watch passes on the first failure. It ends with the etcd.
func (s *Server) watch(parked <-chan error) {
	select {
	case err := <-parked:
		s.failed <- fmt.Errorf("run etcd in %q: %w", s.dataDir, err)
	case err, ok := <-s.etcd.Err():
		if ok && err != nil {
			s.failed <- fmt.Errorf("run etcd in %q: %w", s.dataDir, err)
		}
	case <-s.etcd.Server.StopNotify():
		if s.open.ctx.Err() == nil {
			s.failed <- fmt.Errorf("run etcd in %q: %w", s.dataDir, errRemoved)
		}
	case <-s.stopped:
	}
}

// startRecovered starts the etcd and turns a panic into an error.
func startRecovered(ec *embed.Config) (e *embed.Etcd, err error) {
	defer func() {
		if r := recover(); r != nil {
			cause, ok := r.(error)
			if !ok {
				cause = fmt.Errorf("%v", r)
			}
			e, err = nil, damaged(ec.Dir, cause)
		}
	}()
	return embed.StartEtcd(ec)
}

// explainStart says which address is taken and what to do, where that is why.
func explainStart(ec *embed.Config, err error) error {
	var op *net.OpError
	if errors.As(err, &op) && errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("listen on %s: another program does already; stop it or choose another address: %w", op.Addr, err)
	}
	if errors.As(err, &op) && op.Op == "listen" {
		return fmt.Errorf("listen on %s: choose an address of this machine: %w", op.Addr, err)
	}
	return fmt.Errorf("start etcd in %q: %w", ec.Dir, explainJoin(err))
}

// chooseFreePort replaces port 0 of the client listener by a free one, because
// etcd would advertise the 0.
func chooseFreePort(ec *embed.Config) error {
	listen, advertise := &ec.ListenClientUrls[0], &ec.AdvertiseClientUrls[0]
	if listen.Port() != "0" {
		return nil
	}
	l, err := net.Listen("tcp", listen.Host)
	if err != nil {
		return explainStart(ec, err)
	}
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		return err
	}
	listen.Host = net.JoinHostPort(listen.Hostname(), port)
	if advertise.Port() == "0" {
		advertise.Host = net.JoinHostPort(advertise.Hostname(), port)
	}
	return l.Close()
}

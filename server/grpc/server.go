// Package grpc is the server that speaks gRPC: to clients of this module, to
// those of go-micro v2, and to any other gRPC client.
//
// Importing it makes server.NewServer and server.DefaultServer work.
package grpc

import (
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"

	"google.golang.org/grpc"

	"github.com/rollcall-go/micro/internal/announce"
	"github.com/rollcall-go/micro/internal/defaults"
	"github.com/rollcall-go/micro/internal/rpc"
	"github.com/rollcall-go/micro/server"
)

var _ = defaults.Server.Set(NewServer)

// ids are those of servers that are given none, whatever a program puts into
// server.DefaultId later.
var ids = announce.IDs{Process: server.DefaultId}

// Server phases. A server goes through them once.
const (
	idle = iota
	running
	stopped
)

// grpcServer is a server.Server. The methods that serve a call take no lock.
type grpcServer struct {
	table    rpc.Table
	calls    atomic.Pointer[calls] // what serving a call needs of opts
	recovery recovery
	streams  streams

	mu          sync.Mutex // guards what follows
	opts        server.Options
	limit       *limiter // that of opts, nil if there is none
	ownID       string   // generated for this server; empty as long as it needs none
	handlers    []server.Handler
	subscribers []*subscriber
	services    []service
	serviceErrs []error
	phase       int
	run         *run // from Start on
}

var (
	_ server.Server         = (*grpcServer)(nil)
	_ grpc.ServiceRegistrar = (*grpcServer)(nil)
)

// NewServer returns a server that is set up but does nothing until Start. Its
// value also has the methods of grpc.ServiceRegistrar, so that services by
// protoc-gen-go-grpc can be registered with it before Start, and
//
//	Ready() error
//	Stats() map[string]uint64
//
// The first tells whether the server is registered, and if not, why; the second
// how many times it was, and ceased to be.
//
// A server starts once: Start after Stop is an error.
func NewServer(opts ...server.Option) server.Server {
	s := &grpcServer{}
	s.set(s.complete(server.NewOptions(opts...)))
	return s
}

// complete gives the options the server's own id if they have none. The caller
// holds mu, or is alone.
func (s *grpcServer) complete(opts server.Options) server.Options {
	if opts.Id == ids.Process {
		if s.ownID == "" {
			s.ownID = ids.Next()
		}
		opts.Id = s.ownID
	}
	return opts
}

// set makes opts the options in force. The caller holds mu, or is alone.
func (s *grpcServer) set(opts server.Options) {
	opts.Metadata = maps.Clone(opts.Metadata)
	if opts.ConcurrencyLimit != s.opts.ConcurrencyLimit || nodeID(opts) != nodeID(s.opts) {
		s.limit = newLimiter(opts)
	}
	s.opts = opts
	s.calls.Store(newCalls(opts, &s.recovery, &s.streams, s.limit))
}

// Init applies options; a name, an id, a version and an address that are empty
// become the defaults. While the server runs, those that it was started with
// cannot change any more, and Init returns an error that names the first such
// and applies none; Metadata, Advertise, RegisterCheck, ConcurrencyLimit and the wrappers can. What
// is registered follows within a second.
func (s *grpcServer) Init(opts ...server.Option) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	current := func(o *server.Options) { *o = copyOptions(s.opts) }
	next := s.complete(server.NewOptions(slices.Insert(slices.Clone(opts), 0, current)...))
	if s.phase == running {
		if name := changedForGood(s.opts, next); name != "" {
			return fmt.Errorf("set option %s: the server is running; set it before Start", name)
		}
	}
	s.set(next)
	s.publish()
	return nil
}

// publish has what is registered follow what the server is now. The caller holds
// mu.
func (s *grpcServer) publish() {
	if s.phase == running {
		s.run.announced.CheckNow()
	}
}

// Options returns a copy of the options in force. From Start on, Address is the
// one that the server listens on.
func (s *grpcServer) Options() server.Options {
	s.mu.Lock()
	defer s.mu.Unlock()
	return copyOptions(s.opts)
}

func copyOptions(o server.Options) server.Options {
	o.Metadata = maps.Clone(o.Metadata)
	o.Codecs = maps.Clone(o.Codecs)
	o.HdlrWrappers = slices.Clone(o.HdlrWrappers)
	o.SubWrappers = slices.Clone(o.SubWrappers)
	o.BeforeDeregister = slices.Clone(o.BeforeDeregister)
	o.AfterDeregister = slices.Clone(o.AfterDeregister)
	o.AfterDrain = slices.Clone(o.AfterDrain)
	return o
}

// String returns "grpc".
func (s *grpcServer) String() string { return "grpc" }

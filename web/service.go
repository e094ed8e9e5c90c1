package web

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"sync"

	"github.com/rollcall-go/micro"
	"github.com/rollcall-go/micro/client"
	chttp "github.com/rollcall-go/micro/client/http"
	"github.com/rollcall-go/micro/internal/announce"
	"github.com/rollcall-go/micro/registry"
	"github.com/rollcall-go/micro/server"
)

// ids are those of services that are given none, whatever a program puts into DefaultId
// later.
var ids = announce.IDs{Process: DefaultId}

// The phases of a service, which goes through them once.
const (
	idle = iota
	running
	stopped
)

// service is the Service of this package.
type service struct {
	mux *http.ServeMux

	starting sync.Mutex // held by Start and Init; not held while requests are served

	mu        sync.Mutex // guards what follows; not held while code of the program runs
	opts      Options
	own       micro.Service // what it has where no MicroService was given; nil if one was
	ownID     string        // generated for this service; empty as long as it needs none
	flags     int           // how many of opts.Flags the command line has
	place     place         // what the command line says beyond the options
	endpoints []*registry.Endpoint
	root      bool // something handles /
	errs      []error
	phase     int
	run       *run                // from Start on
	client    *chttp.RoundTripper // of Client, nil before
}

// place restricts which of the host's addresses is registered.
type place struct{ iface, cidr string }

func newService(opts ...Option) *service {
	s := &service{mux: http.NewServeMux()}
	o := newOptions(opts...)
	if o.Service == nil {
		// A server that is never started, so that the default one is left to the program.
		s.own = micro.NewService(micro.Server(server.NewServer()), micro.HandleSignal(false))
		o.Service = s.own
	}
	s.opts = s.complete(o)
	return s
}

// complete fills in what the options leave open. The caller holds mu, or is alone.
func (s *service) complete(o Options) Options {
	if o.RegisterCheck == nil {
		o.RegisterCheck = DefaultRegisterCheck
	}
	if o.Id == ids.Process {
		if s.ownID == "" {
			s.ownID = ids.Next()
		}
		o.Id = s.ownID
	}
	o.Metadata = maps.Clone(o.Metadata)
	return o
}

// Options returns a copy of the options in force.
func (s *service) Options() Options {
	s.mu.Lock()
	defer s.mu.Unlock()
	o := s.opts
	o.Metadata = maps.Clone(o.Metadata)
	return o
}

// registry returns where a service with the options registers.
func (o Options) registry() registry.Registry {
	if o.Registry != nil {
		return o.Registry
	}
	return o.Service.Options().Registry
}

// Client returns an HTTP client that finds services by name.
func (s *service) Client() *http.Client {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.client == nil {
		own := s.opts.Service.Client().Options() // how its calls are balanced and secured
		s.client = chttp.NewRoundTripper(func(o *client.Options) { *o = own }, client.Registry(s.opts.registry()))
	}
	return &http.Client{Transport: s.client}
}

// Handle adds a handler for a pattern.
func (s *service) Handle(pattern string, handler http.Handler) {
	err := s.route(pattern, handler)
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil {
		s.errs = append(s.errs, err)
		return
	}
	s.root = s.root || pattern == "/"
	s.endpoints = append(slices.Clip(s.endpoints), &registry.Endpoint{Name: pattern})
	if s.phase == running {
		s.run.announced.CheckNow()
	}
}

// HandleFunc is Handle for a function.
func (s *service) HandleFunc(pattern string, handler func(http.ResponseWriter, *http.Request)) {
	s.Handle(pattern, http.HandlerFunc(handler))
}

// route tells the mux, which panics at a pattern that is wrong or was given before.
func (s *service) route(pattern string, handler http.Handler) (err error) {
	defer func() {
		if why := recover(); why != nil {
			err = fmt.Errorf("handle the pattern %q: %v", pattern, why)
		}
	}()
	s.mux.Handle(pattern, handler)
	return nil
}

// Ready returns nil while the service is registered, and otherwise an error for
// operators that says why it is not.
func (s *service) Ready() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch s.phase {
	case idle:
		return errNotStarted
	case stopped:
		return errStopped
	}
	return s.run.announced.Unready()
}

// Stats returns what has become of the registration. The map is the caller's.
func (s *service) Stats() map[string]uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.run == nil {
		return (*announce.Announcement)(nil).Stats()
	}
	return s.run.announced.Stats()
}

package web

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync/atomic"

	"github.com/rollcall-go/micro/internal/announce"
	"github.com/rollcall-go/micro/internal/defaults"
	"github.com/rollcall-go/micro/internal/record"
	"github.com/rollcall-go/micro/internal/secure"
	"github.com/rollcall-go/micro/logger"
)

var (
	errNotStarted = announce.NewNotReady(errors.New("the web service has not been started"), "not started")
	errStopped    = announce.NewNotReady(errors.New("the web service has been stopped"), "stopped")
)

// run is a service at work, from Start to Stop.
//
// It has the goroutine in which net/http accepts connections, what that begins for each
// of them, and what the announcement has. Stop ends them and waits for them.
type run struct {
	http      *http.Server
	announced *announce.Announcement
	settings  *ownSettings
	leaving   atomic.Bool   // connections end with their next answer
	served    chan struct{} // closed when no more connections are accepted
	stop      func() error  // stops once, and tells every caller how that went
}

// Start listens, serves in the background, and begins to register, which goes on for as
// long as it takes. It returns when the service is registered, and otherwise after the
// time of RegistrationWait.
//
// It returns an error, with nothing begun, for what can never work: a pattern, an
// address or TLS settings that are wrong, a registry that says it cannot be used.
// Starting a service that runs does nothing.
func (s *service) Start() error {
	s.starting.Lock()
	defer s.starting.Unlock()
	r, err := s.start()
	if err != nil {
		return fmt.Errorf("start the web service: %w", err)
	}
	r.announced.Await(r.settings.wait)
	return nil
}

func (s *service) start() (*run, error) {
	s.mu.Lock()
	phase, before, errs, running := s.phase, s.opts.BeforeStart, s.errs, s.run
	s.mu.Unlock()
	switch {
	case phase == stopped:
		return nil, errors.New("it has been stopped; make another one")
	case phase != idle:
		return running, nil
	case len(errs) > 0:
		return nil, errors.Join(errs...)
	}
	if err := upToError(before); err != nil {
		return nil, err
	}
	r, l, err := s.serve()
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	after := s.opts.AfterStart
	s.mu.Unlock()
	if err := upToError(after); err != nil {
		_ = r.http.Close() // nobody was told of it yet
		<-r.served
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.announce(r, l)
	return r, nil
}

// serve begins to serve.
func (s *service) serve() (*run, net.Listener, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.node().Check(); err != nil {
		return nil, nil, err
	}
	r := &run{settings: settingsOf(s.opts.Context), served: make(chan struct{})}
	handler, err := s.handler()
	if err != nil {
		return nil, nil, err
	}
	r.http = s.opts.Server
	if r.http == nil {
		r.http = &http.Server{
			ReadHeaderTimeout: readHeaderTimeout,
			IdleTimeout:       idleTimeout,
			MaxHeaderBytes:    defaults.MaxHeaderListSize,
		}
	}
	if r.http.ErrorLog == nil {
		r.http.ErrorLog = newErrorLog()
	}
	config, err := s.tlsConfig()
	if err != nil {
		return nil, nil, fmt.Errorf("set up TLS: %w", err)
	}
	l, err := announce.Listen(s.opts.Address, s.opts.Advertise, nil)
	if err != nil {
		return nil, nil, err
	}
	r.http.Handler = r.lastAnswers(s.withReadiness(handler))
	s.opts.Address = l.Addr().String()
	logger.Infof("Server [web] Listening on %s", l.Addr())
	r.http.TLSConfig = config
	go func() {
		defer close(r.served)
		serve := r.http.Serve
		if config != nil {
			serve = func(l net.Listener) error { return r.http.ServeTLS(l, "", "") }
		}
		if err := serve(l); !errors.Is(err, http.ErrServerClosed) {
			logger.Errorf("Server [web] Accepts no more connections on %s: %v", l.Addr(), err)
		}
	}()
	return r, l, nil
}

// announce begins to register. The caller holds mu.
func (s *service) announce(r *run, l net.Listener) {
	r.announced = announce.Start(announce.Config{
		Kind:      "web",
		Listener:  l,
		Registry:  s.opts.registry(),
		Node:      func() announce.Node { s.mu.Lock(); defer s.mu.Unlock(); return s.node() },
		Check:     func() func(context.Context) error { return s.Options().RegisterCheck },
		Closed:    r.served,
		TTL:       s.opts.RegisterTTL,
		Interval:  s.opts.RegisterInterval,
		Generated: s.opts.Id == s.ownID,
		Events:    r.settings.events,
	})
	s.run, s.phase = r, running
}

// node returns what the service says of itself. The caller holds mu.
func (s *service) node() announce.Node {
	o := s.opts
	says := map[string]string{}
	for key, value := range map[string]string{"protocol": "http", "server": "web", record.TLS: s.secure().Says()} {
		if _, given := o.Metadata[key]; value != "" && (!given || key == record.TLS) {
			says[key] = value
		}
	}
	return announce.Node{
		Name: o.Name, Version: o.Version, ID: o.Id, Registry: o.registry(),
		Metadata: o.Metadata, Says: says, Endpoints: s.endpoints,
		Advertise: o.Advertise, Interface: s.place.iface, CIDR: s.place.cidr,
	}
}

// handler returns what serves the requests. The caller holds mu.
func (s *service) handler() (http.Handler, error) {
	switch own := s.opts.Server; {
	case s.opts.Handler != nil:
		return s.opts.Handler, nil
	case own != nil && own.Handler != nil && len(s.endpoints) == 0:
		return own.Handler, nil
	case s.root || s.opts.StaticDir == "":
		return s.mux, nil
	}
	files, err := newFiles(s.opts.StaticDir, s.opts.StaticDir != DefaultStaticDir)
	if err == nil && files != nil {
		err = s.route("/", http.FileServer(files))
	}
	return s.mux, err
}

// withReadiness puts what Readiness asked for in front of h. The caller holds mu.
func (s *service) withReadiness(h http.Handler) http.Handler {
	path := settingsOf(s.opts.Context).readiness
	if path == "" {
		return h
	}
	ready := announce.Handler(s.Ready)
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if req.URL.Path == path {
			ready.ServeHTTP(w, req)
			return
		}
		h.ServeHTTP(w, req)
	})
}

// secure returns what is said of TLS by options and command line. The caller holds mu.
func (s *service) secure() secure.Server {
	sec := tlsOf(s.opts.Context)
	if sec.Config == nil {
		sec.Config = s.opts.TLSConfig
	}
	if own := s.opts.Server; sec.Config == nil && own != nil {
		sec.Config = own.TLSConfig
	}
	if s.opts.Secure && !sec.On() {
		sec.Config = selfMade
	}
	return sec
}

// upToError runs the functions in order, up to the first error.
func upToError(fns []func() error) error {
	for _, fn := range fns {
		if err := fn(); err != nil {
			return err
		}
	}
	return nil
}

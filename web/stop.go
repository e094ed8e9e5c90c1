package web

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"

	"github.com/rollcall-go/micro/internal/interrupt"
	"github.com/rollcall-go/micro/logger"
)

// Run serves until a signal or the end of the context, and then stops.
func (s *service) Run() error {
	if err := s.Start(); err != nil {
		return errors.Join(err, s.close())
	}
	o := s.Options()
	ctx := o.Context
	if o.Signal {
		var release func()
		ctx, release = interrupt.Until(ctx)
		defer release()
	}
	<-ctx.Done()
	return s.Stop()
}

// Stop deregisters, goes on taking requests for the time of DeregisterDelay, waits up to
// the time of StopGrace for the requests in flight, cuts off the rest, and returns.
// Connections that were taken over, as WebSocket's are, belong to whoever took them: a
// function of BeforeStop can end them.
//
// It returns an error if the registry may still have the node, if requests were cut off
// when a grace was over, or if a function of BeforeStop or AfterStop returned one; the
// service is stopped all the same. To stop again, or without having started, does
// nothing; a second caller waits for the first.
func (s *service) Stop() error {
	s.mu.Lock()
	r := s.run
	if r == nil {
		s.mu.Unlock()
		return nil
	}
	if s.phase == running {
		s.phase = stopped
		o := s.opts
		r.stop = sync.OnceValue(func() error { return errors.Join(r.stopAll(o), s.close()) })
	}
	s.mu.Unlock()
	return r.stop()
}

// stopAll stops what was begun.
func (r *run) stopAll(o Options) error {
	registered, err := r.announced.Leave()
	errs := []error{err}
	r.leaving.Store(true)
	if registered {
		r.announced.Linger(r.settings.delay)
	}
	for _, fn := range o.BeforeStop {
		errs = append(errs, fn())
	}
	errs = append(errs, r.drain())
	for _, fn := range o.AfterStop {
		errs = append(errs, fn())
	}
	return errors.Join(errs...)
}

// lastAnswers makes every answer the last one on its connection once the service has left
// the registry, so that no request is on its way over a connection when that is closed.
func (r *run) lastAnswers(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if r.leaving.Load() {
			w.Header().Set("Connection", "close")
		}
		h.ServeHTTP(w, req)
	})
}

// drain waits for the requests in flight, and cuts them off when the grace is over.
func (r *run) drain() error {
	defer func() { <-r.served }()
	grace := r.settings.grace
	if grace <= 0 {
		logger.Infof("Server [web] Stopped: there is no grace for requests in flight")
		return r.http.Close()
	}
	logger.Infof("Server [web] Draining: no more requests are taken, and those in flight have %s", grace)
	// The lifetime of the stop itself.
	ctx, cancel := context.WithTimeout(context.Background(), grace)
	defer cancel()
	err := r.http.Shutdown(ctx)
	switch {
	case err == nil:
		logger.Infof("Server [web] Stopped: all requests have ended")
	case ctx.Err() != nil:
		logger.Warnf("Server [web] Stopped: requests are cut off that took longer than the grace of %s", grace)
		_ = r.http.Close() // what it could not close is closed
		return fmt.Errorf("stop the web service: requests that took longer than its grace of %s were cut off", grace)
	}
	return err
}

// close closes what the service made itself, once it has stopped, or failed to start.
func (s *service) close() error {
	s.mu.Lock()
	own, client := s.own, s.client
	s.own = nil // closed once
	s.mu.Unlock()
	var errs []error
	if client != nil {
		errs = append(errs, client.Close())
	}
	if o, ok := own.(interface{ Stop() error }); ok {
		errs = append(errs, o.Stop()) // its server was never started; the configuration is told
	}
	if c, ok := own.(io.Closer); ok {
		errs = append(errs, c.Close())
	}
	return errors.Join(errs...)
}

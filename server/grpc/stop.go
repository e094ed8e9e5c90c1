package grpc

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/rollcall-go/micro/internal/defaults"
	"github.com/rollcall-go/micro/logger"
	"github.com/rollcall-go/micro/server"
)

// Stop deregisters and unsubscribes, goes on taking calls for the time of DeregisterDelay,
// waits up to the time of StopGrace for the calls in flight, the messages that were taken
// and the group of server.Wait, cuts off the rest, streams with an error that says so,
// disconnects from the broker, unless another server of the process uses it, and returns. Open streams of health and reflection end and are
// waited for no longer. The functions of server.BeforeDeregister, AfterDeregister and
// AfterDrain run at their places.
//
// It returns an error if the registry may still have the node, if a grace was given
// and calls were cut off when it was over, or if one of those functions returned
// one; the server is stopped all the same. To stop again, or without having started,
// does nothing; a second caller waits for the first.
func (s *grpcServer) Stop() error {
	s.mu.Lock()
	r := s.run
	if r == nil {
		s.mu.Unlock()
		return nil
	}
	if s.phase == running {
		s.phase = stopped
		o := s.opts
		r.stop = sync.OnceValue(func() error { return r.stopAll(o, s.calls.Load().waiting) })
	}
	s.mu.Unlock()
	return r.stop()
}

// stopAll stops what begin began.
func (r *run) stopAll(o server.Options, waiting *sync.WaitGroup) error {
	errs := runAll(o.BeforeDeregister)
	r.health.Shutdown()
	registered, err := r.announced.Leave()
	errs = append(errs, err)
	errs = append(errs, runAll(o.AfterDeregister)...)
	r.events.leave()
	if registered {
		r.announced.Linger(r.settings.delay)
	}
	r.interceptors.streams.end()
	r.door.shut()
	errs = append(errs, r.drain(waiting))
	r.door.stop()
	errs = append(errs, r.endEvents())
	return errors.Join(append(errs, runAll(o.AfterDrain)...)...)
}

// runAll runs the functions in order and returns their errors.
func runAll(fns []func() error) []error {
	var errs []error
	for _, fn := range fns {
		errs = append(errs, fn())
	}
	return errs
}

// drain waits for the calls in flight, and cuts them off when the grace is over. A
// handler that does not heed its context then outlives the server, and so does the
// goroutine here that waits for it or for the group.
func (r *run) drain(waiting *sync.WaitGroup) error {
	if r.settings.grace <= 0 {
		logger.Infof("Server [grpc] Stopped: there is no grace for calls in flight")
		r.grpc.Stop()
		<-r.servingDone
		r.interceptors.streams.wait()
		return nil
	}
	logger.Infof("Server [grpc] Draining: no more calls are taken, and those in flight have %s", r.settings.grace)
	done := make(chan struct{})
	go func() {
		defer close(done)
		r.grpc.GracefulStop()
		<-r.events.left
		if waiting != nil {
			waiting.Wait()
		}
	}()
	grace := time.NewTimer(r.settings.grace)
	defer grace.Stop()
	var err error
	select {
	case <-done:
		logger.Infof("Server [grpc] Stopped: all calls have ended")
	case <-grace.C:
		logger.Warnf("Server [grpc] Stopped: calls are cut off that took longer than the grace of %s", r.settings.grace)
		r.endStreams(done)
		r.grpc.Stop()
		err = fmt.Errorf("stop the server: calls that took longer than its grace of %s were cut off", r.settings.grace)
	}
	<-r.servingDone
	r.interceptors.streams.wait()
	return err
}

// endEvents cuts off the messages that are still being handled, and disconnects from the
// broker.
func (r *run) endEvents() error {
	// The lifetime of the end itself.
	ctx, cancel := context.WithTimeout(context.Background(), r.events.grace+defaults.DisconnectTimeout)
	defer cancel()
	return r.events.end(ctx)
}

// endStreams tells the clients of streams that outlived the grace why these end, and
// gives what it tells them the time to leave.
func (r *run) endStreams(drained <-chan struct{}) {
	if r.open.endAll(stopping(r.settings.grace)) == 0 {
		return
	}
	timer := time.NewTimer(flushTime)
	defer timer.Stop()
	select {
	case <-drained:
	case <-timer.C:
	}
}

package grpc

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/rollcall-go/micro/internal/defaults"
)

// Stop deregisters, goes on taking calls for the time of DeregisterDelay, waits up to
// the time of StopGrace for the calls in flight and for the group of server.Wait,
// cuts off the rest, and returns. It returns an error if the registry may still
// have the node, or if a grace was given and calls were cut off when it was over;
// the server is stopped all the same. To
// stop again, or without having started, does nothing; a second caller waits for
// the first.
func (s *grpcServer) Stop() error {
	s.mu.Lock()
	r := s.run
	if r == nil {
		s.mu.Unlock()
		return nil
	}
	if s.phase == running {
		s.phase = stopped
		r.stop = sync.OnceValue(func() error { return r.end(s.calls.Load().waiting) })
	}
	s.mu.Unlock()
	return r.stop()
}

// end stops what begin began.
func (r *run) end(waiting *sync.WaitGroup) error {
	r.health.Shutdown()
	registered := r.enrolled.Ready() == nil
	// The lifetime of the stop itself.
	ctx, cancel := context.WithTimeout(context.Background(), defaults.DeregisterTimeout)
	defer cancel()
	err := r.enrolled.Stop(ctx)
	close(r.quit)
	<-r.ended
	if registered && r.settings.delay > 0 {
		pause := time.NewTimer(r.settings.delay)
		<-pause.C
	}
	return errors.Join(err, r.drain(waiting))
}

// drain waits for the calls in flight, and cuts them off when the grace is over. A
// handler that does not heed its context then outlives the server.
func (r *run) drain(waiting *sync.WaitGroup) error {
	if r.settings.grace <= 0 {
		r.grpc.Stop()
		<-r.served
		return nil
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		r.grpc.GracefulStop()
		if waiting != nil {
			waiting.Wait()
		}
	}()
	grace := time.NewTimer(r.settings.grace)
	defer grace.Stop()
	var err error
	select {
	case <-done:
	case <-grace.C:
		r.grpc.Stop()
		err = fmt.Errorf("stop the server: calls that took longer than its grace of %s were cut off", r.settings.grace)
	}
	<-r.served
	return err
}

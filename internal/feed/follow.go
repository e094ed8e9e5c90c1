package feed

import (
	"context"
	"sync"

	"github.com/rollcall-go/micro/registry"
)

// event is what one call of Next returned.
type event struct {
	result *registry.Result
	err    error
}

// eventsAhead is how many events may wait to be worked into a view together.
const eventsAhead = 1000

// follow reads w until it fails. The error, the last event, may wait unread. stop
// stops w and waits for the reading to end.
func follow(w registry.Watcher) (events <-chan event, stop func()) {
	out, done := make(chan event, eventsAhead), make(chan struct{})
	var reading sync.WaitGroup
	reading.Go(func() {
		for {
			result, err := w.Next()
			select {
			case out <- event{result, err}:
			case <-done:
				return
			}
			if err != nil {
				return
			}
		}
	})
	return out, func() {
		close(done)
		w.Stop()
		reading.Wait()
	}
}

// callWithContext calls f, which knows no context, and returns early with ctx's
// error if that is done first. What f returns too late goes to late, unless nil.
func callWithContext[T any](ctx context.Context, f func() (T, error), late func(T)) (T, error) {
	type answer struct {
		v   T
		err error
	}
	answers := make(chan answer)
	go func() {
		v, err := f()
		select {
		case answers <- answer{v, err}:
		case <-ctx.Done():
			if err == nil && late != nil {
				late(v)
			}
		}
	}()
	select {
	case a := <-answers:
		return a.v, a.err
	case <-ctx.Done():
		var none T
		return none, ctx.Err()
	}
}

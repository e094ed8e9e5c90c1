package delivery

import (
	"context"
	"fmt"
	"time"

	"github.com/rollcall-go/micro/internal/backoff"
)

// Retry says when a message is given again whose handler failed.
type Retry struct {
	// MaxDeliver is how many times it is given. A negative number means without end.
	MaxDeliver int
	// Wait is the wait after the first time. It doubles up to MaxWait, and half of it is
	// random.
	Wait, MaxWait time.Duration
}

// Again returns the wait before a message is given again that was given n times.
func (r Retry) Again(n int) time.Duration {
	b := backoff.Backoff{Base: r.Wait, Max: max(r.MaxWait, r.Wait)}
	return b.Ceiling(n-1)/2 + b.Next(n-1)/2
}

// Last reports whether a message that was given n times is not to be given again.
func (r Retry) Last(n int) bool { return r.MaxDeliver > 0 && n >= r.MaxDeliver }

// Finish closes the lane of a subscription to a topic and waits until what it took is
// handled. When ctx is done before, it returns what still waits, and an error that says
// how much that was.
func Finish[T any](ctx context.Context, topic string, lane *Lane[T]) ([]T, error) {
	lane.Close()
	select {
	case <-lane.Done():
		return nil, nil
	case <-ctx.Done():
	}
	left := lane.Discard()
	_, running := lane.Load()
	return left, fmt.Errorf("finish the subscription to %q: %d messages are not handled, %d handlers have not returned: %w", topic, len(left), running, ctx.Err())
}

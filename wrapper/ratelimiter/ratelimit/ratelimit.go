// Package ratelimit lets requests through as a token bucket allows: any that has the
// methods of github.com/juju/ratelimit, whose Bucket go-micro's plugin took. This package
// does not need that module; a program that has it goes on as before.
package ratelimit

import (
	"context"
	"time"

	"github.com/rollcall-go/micro/client"
	"github.com/rollcall-go/micro/internal/throttle"
	"github.com/rollcall-go/micro/server"
)

// Bucket is a token bucket. A *ratelimit.Bucket of github.com/juju/ratelimit is one. Its
// methods are called from any goroutine.
type Bucket interface {
	// TakeAvailable takes up to n tokens that are there and returns how many it took.
	TakeAvailable(n int64) int64
	// TakeMaxDuration takes n tokens and returns how long to wait until they are there,
	// or takes none and returns false if that were longer than most.
	TakeMaxDuration(n int64, most time.Duration) (time.Duration, bool)
	// Rate is how many tokens there are in a second.
	Rate() float64
}

// NewClientWrapper limits the calls of a client, and the openings of streams. With wait a
// call waits for its token as long as its context allows; one that may not wait returns an
// *errors.Error of code 429 that says when to try again, one whose context ends while it
// waits, of code 408. The token of such a call is lost. What is published is not limited.
func NewClientWrapper(b Bucket, wait bool) client.Wrapper { return throttle.Client(take(b, wait)) }

// NewHandlerWrapper limits the requests that a server's handlers see, a stream counting as
// one, with the errors of NewClientWrapper.
func NewHandlerWrapper(b Bucket, wait bool) server.HandlerWrapper {
	return throttle.Handler(take(b, wait))
}

// NewSubscriberWrapper limits the messages that a server's subscribers see, with the errors
// of NewClientWrapper. What becomes of a message that is refused is the broker's to say.
func NewSubscriberWrapper(b Bucket, wait bool) server.SubscriberWrapper {
	return throttle.Subscriber(take(b, wait))
}

func take(b Bucket, wait bool) throttle.Take {
	return func(ctx context.Context, id string) error {
		if !wait {
			if b.TakeAvailable(1) == 0 {
				return throttle.TooMany(id, token(b))
			}
			return nil
		}
		d, ok := b.TakeMaxDuration(1, throttle.Room(ctx, -1))
		if !ok {
			return throttle.TooMany(id, token(b))
		}
		return throttle.Wait(ctx, id, d)
	}
}

// token is the time that the bucket takes for one token.
func token(b Bucket) time.Duration {
	if r := b.Rate(); r > 0 {
		return time.Duration(float64(time.Second) / r)
	}
	return 0
}

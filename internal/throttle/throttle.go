// Package throttle is what the wrappers of rate limiting have in common: how a request
// waits for its turn, and what it is told that may not wait.
package throttle

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/rollcall-go/micro/errors"
	"github.com/rollcall-go/micro/internal/backoff"
)

// Who answers, as in v2.
const (
	ClientID = "go.micro.client"
	ServerID = "go.micro.server"
)

// TooMany returns the error of a request that is over a limit: an *errors.Error of code
// 429 that says after what time another one may be made.
func TooMany(id string, after time.Duration) error {
	return errors.New(id, fmt.Sprintf("too many requests: retry after %v", max(after, 0).Round(time.Microsecond)), http.StatusTooManyRequests)
}

// Room returns how long a request may wait: until the deadline of ctx, and no longer than
// most, where that is not below zero.
func Room(ctx context.Context, most time.Duration) time.Duration {
	room := time.Duration(1<<63 - 1)
	if deadline, bounded := ctx.Deadline(); bounded {
		room = time.Until(deadline)
	}
	if most >= 0 {
		room = min(room, most)
	}
	return room
}

// Wait waits for d, or until ctx is over. Then it returns an *errors.Error of code 408,
// which wraps the error of ctx.
func Wait(ctx context.Context, id string, d time.Duration) error {
	if backoff.Wait(ctx, d) != nil {
		err := ctx.Err()
		return errors.Wrap(id, err.Error()+": waiting for a rate limit", http.StatusRequestTimeout, err)
	}
	return nil
}

package client

import (
	"context"
	"math"
	"time"
)

// BackoffFunc returns the wait before the attempt of the given number, which
// is 0 for the first. An error ends the call.
type BackoffFunc func(ctx context.Context, req Request, attempts int) (time.Duration, error)

// exponentialBackoff waits n^e tenths of a second, the power cut to a whole
// number (0, 100 ms, 600 ms, 1.9 s, ...), and two minutes above 13.
func exponentialBackoff(_ context.Context, _ Request, attempts int) (time.Duration, error) {
	switch {
	case attempts <= 0:
		return 0, nil
	case attempts > 13:
		return 2 * time.Minute, nil
	}
	return time.Duration(math.Pow(float64(attempts), math.E)) * 100 * time.Millisecond, nil
}

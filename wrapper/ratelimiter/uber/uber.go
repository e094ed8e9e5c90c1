// Package ratelimit, in the directory uber, lets so many requests through in a second,
// evenly spread; what comes faster waits for its turn. It has the shape of go-micro's
// plugin on go.uber.org/ratelimit and is made of golang.org/x/time/rate: a request waits
// no longer than its context, and one whose turn would come too late is told at once.
//
// Each wrapper has one limit, for all services, endpoints and topics that it sees. A limit
// of its own for one endpoint is made with wrapper/endpoint.
package ratelimit

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"golang.org/x/time/rate"

	"github.com/rollcall-go/micro/client"
	"github.com/rollcall-go/micro/errors"
	"github.com/rollcall-go/micro/internal/throttle"
	"github.com/rollcall-go/micro/server"
)

// Option sets how a limit is kept.
type Option func(*settings)

type settings struct {
	per   time.Duration
	slack int
	most  time.Duration // below zero: as long as the context allows
}

// Per makes the rate one of requests in d. The default is a second.
func Per(d time.Duration) Option { return func(s *settings) { s.per = d } }

// WithSlack lets up to n requests through at once after a time in which fewer came than
// might have. The default is 10, as with go.uber.org/ratelimit.
func WithSlack(n int) Option { return func(s *settings) { s.slack = n } }

// WithoutSlack keeps the same distance between all requests.
var WithoutSlack Option = func(s *settings) { s.slack = 0 }

// MaxWait is the longest time that a request waits; one whose turn would come later is
// refused at once. Zero lets none wait. By default a request waits as long as its context
// allows, for ever without a deadline, so that requests without one can pile up.
func MaxWait(d time.Duration) Option { return func(s *settings) { s.most = max(d, 0) } }

// NewClientWrapper limits the calls of a client, and the openings of streams. A call that
// cannot have its turn in time returns an *errors.Error of code 429 that says when one
// could; one whose context ends while it waits, of code 408. What is published is not
// limited. A rate of zero or less refuses everything with an error that says so.
func NewClientWrapper(rate int, opts ...Option) client.Wrapper {
	return throttle.Client(limit(rate, opts))
}

// NewHandlerWrapper limits the requests that a server's handlers see, a stream counting as
// one, with the errors of NewClientWrapper.
func NewHandlerWrapper(rate int, opts ...Option) server.HandlerWrapper {
	return throttle.Handler(limit(rate, opts))
}

// NewSubscriberWrapper limits the messages that a server's subscribers see, with the errors
// of NewClientWrapper. What becomes of a message that is refused is the broker's to say.
func NewSubscriberWrapper(rate int, opts ...Option) server.SubscriberWrapper {
	return throttle.Subscriber(limit(rate, opts))
}

func limit(n int, opts []Option) throttle.Take {
	s := settings{per: time.Second, slack: 10, most: -1}
	for _, o := range opts {
		if o != nil {
			o(&s)
		}
	}
	if n <= 0 || s.per <= 0 {
		return func(_ context.Context, id string) error {
			return errors.New(id, fmt.Sprintf("limit to %d requests in %v: both have to be above zero", n, s.per), http.StatusInternalServerError)
		}
	}
	l := rate.NewLimiter(rate.Limit(float64(n)/s.per.Seconds()), 1+max(s.slack, 0))
	return func(ctx context.Context, id string) error {
		if l.Allow() {
			return nil
		}
		now := time.Now()
		turn := l.ReserveN(now, 1)
		wait := turn.DelayFrom(now)
		if wait > throttle.Room(ctx, s.most) {
			turn.CancelAt(now)
			return throttle.TooMany(id, wait)
		}
		err := throttle.Wait(ctx, id, wait)
		if err != nil {
			turn.Cancel()
		}
		return err
	}
}

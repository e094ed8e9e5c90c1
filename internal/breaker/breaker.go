// Package breaker keeps circuit breakers of github.com/sony/gobreaker, one for each
// service, endpoint or node that is called. It is what the wrappers of circuit
// breaking have in common.
package breaker

import (
	stderrors "errors"
	"fmt"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/sony/gobreaker/v2"

	"github.com/rollcall-go/micro/errors"
)

// Breaker is the circuit breaker of one service, endpoint or node. It is made by a
// Group and is safe for concurrent use.
type Breaker struct {
	name    string
	circuit *gobreaker.CircuitBreaker[struct{}]
	until   atomic.Int64 // when an open circuit lets a call through again, in Unix nanoseconds
	used    atomic.Bool  // since the group last looked
}

// defaultTimeout is how long gobreaker keeps a circuit open where nothing else is said.
const defaultTimeout = time.Minute

func newBreaker(name string, s gobreaker.Settings) *Breaker {
	b := &Breaker{name: name}
	if s.Timeout <= 0 {
		s.Timeout = defaultTimeout
	}
	if s.IsSuccessful == nil {
		s.IsSuccessful = served
	}
	if s.IsExcluded == nil {
		s.IsExcluded = Cancelled
	}
	tell := s.OnStateChange
	s.OnStateChange = func(name string, from, to gobreaker.State) {
		if to == gobreaker.StateOpen {
			b.until.Store(time.Now().Add(s.Timeout).UnixNano())
		}
		if tell != nil {
			tell(name, from, to)
		}
	}
	if s.Name == "" {
		s.Name = name
	}
	b.circuit = gobreaker.NewCircuitBreaker[struct{}](s)
	return b
}

// Do calls f, unless the circuit is open: then it is rejected, with the reason as the
// error. What f returns is counted and returned as it is.
func (b *Breaker) Do(f func() error) (rejected bool, err error) {
	rejected = true
	_, err = b.circuit.Execute(func() (struct{}, error) {
		rejected = false
		return struct{}{}, f()
	})
	return rejected, err
}

// Note counts err as that of one more call, if the circuit is not open.
func (b *Breaker) Note(err error) { _, _ = b.Do(func() error { return err }) }

// Open reports whether the circuit lets no call through.
func (b *Breaker) Open() bool { return b.circuit.State() == gobreaker.StateOpen }

// Error returns what the caller gets for a rejection with the reason err: an *errors.Error of code 502 in
// which errors.Is finds err and, if given, the cause more. Its text begins with what,
// or, if that is empty, with the text of err.
func (b *Breaker) Error(id, what string, err error, more error) error {
	if what == "" {
		what = err.Error()
	}
	detail := fmt.Sprintf("%s: %q failed and is being tried by another call", what, b.name)
	if err == gobreaker.ErrOpenState {
		wait := max(time.Until(time.Unix(0, b.until.Load())), 0)
		detail = fmt.Sprintf("%s: %q failed and is not called for another %v", what, b.name, wait.Round(time.Millisecond))
	}
	return errors.Wrap(id, detail, http.StatusBadGateway, stderrors.Join(err, more))
}

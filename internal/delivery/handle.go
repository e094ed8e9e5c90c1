package delivery

import (
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/rollcall-go/micro/broker"
	"github.com/rollcall-go/micro/internal/once"
	"github.com/rollcall-go/micro/internal/panics"
	"github.com/rollcall-go/micro/logger"
)

// failuresPerSecond is how many failures of one subscription's handler are logged in a
// second.
const failuresPerSecond = 5

// Handling calls the handlers of a broker. Its methods may be called from any goroutine.
type Handling struct {
	broker string // its name, for the log
	told   atomic.Pointer[broker.Handler]
	panics panics.Log
	lines  once.Rate
}

// NewHandling returns what calls the handlers of the broker of the name, and tells h of
// each failure. If h is nil, failures are logged.
func NewHandling(name string, h broker.Handler) *Handling {
	g := &Handling{broker: name}
	g.Tell(h)
	return g
}

// Tell has h told of the failures from now on, or has them logged if it is nil.
func (g *Handling) Tell(h broker.Handler) { g.told.Store(&h) }

// Tells reports whether somebody is told of failures.
func (g *Handling) Tells() bool { return *g.told.Load() != nil }

var errExit = errors.New("the handler ended its goroutine (runtime.Goexit) instead of returning")

// Handle calls h with a delivery, acknowledges it if h returned nil and auto is set, and
// tells Delivery.Done and the error handler of a failure.
func (g *Handling) Handle(h broker.Handler, d Delivery, auto bool) {
	err := errExit
	defer func() {
		if d.Done != nil {
			d.Done(err)
		}
		if err != nil {
			g.Failed(d.Topic, d.Message, err)
		}
	}()
	e := &event{Delivery: d}
	err = g.call(h, e)
	if err == nil && auto && d.Ack != nil {
		if err = d.Ack(); err != nil {
			err = fmt.Errorf("acknowledge: %w", err)
		}
	}
}

// call calls h, and makes an error of its panic.
func (g *Handling) call(h broker.Handler, e broker.Event) (err error) {
	defer func() {
		if v := recover(); v != nil {
			text, at := g.panics.Describe(v)
			logger.Errorf("Broker [%s] Handler panicked: %s: %s%s", g.broker, e.Topic(), text, at)
			err = fmt.Errorf("the handler panicked: %s", text)
		}
	}()
	return h(e)
}

// Failed tells the error handler, or the log, of what became of a message, which may be
// nil.
func (g *Handling) Failed(topic string, m *broker.Message, err error) {
	told := *g.told.Load()
	if told == nil {
		if g.lines.Allow(time.Now(), failuresPerSecond) {
			logger.Errorf("Broker [%s] Message failed: %s: %v", g.broker, topic, err)
		}
		return
	}
	defer func() {
		if v := recover(); v != nil {
			text, at := g.panics.Describe(v)
			logger.Errorf("Broker [%s] Error handler panicked: %s: %s%s", g.broker, topic, text, at)
		}
	}()
	// An error of the error handler has nowhere to go.
	_ = told(NewError(topic, m, err))
}

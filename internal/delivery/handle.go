package delivery

import (
	"errors"
	"fmt"
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
	// Broker is its name, for the log.
	Broker string
	// ErrorHandler is told of each failure. Nil means that failures are logged.
	ErrorHandler broker.Handler

	panics panics.Log
	lines  once.Rate
}

var errExit = errors.New("the handler ended its goroutine (runtime.Goexit) instead of returning")

// Handle calls h with a delivery, acknowledges it if h returned nil and auto is set, and
// tells Delivery.Done and the ErrorHandler of a failure.
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
			logger.Errorf("Broker [%s] Handler panicked: %s: %s%s", g.Broker, e.Topic(), text, at)
			err = fmt.Errorf("the handler panicked: %s", text)
		}
	}()
	return h(e)
}

// Failed tells the ErrorHandler, or the log, of what became of a message, which may be
// nil.
func (g *Handling) Failed(topic string, m *broker.Message, err error) {
	if g.ErrorHandler == nil {
		if g.lines.Allow(time.Now(), failuresPerSecond) {
			logger.Errorf("Broker [%s] Message failed: %s: %v", g.Broker, topic, err)
		}
		return
	}
	defer func() {
		if v := recover(); v != nil {
			text, at := g.panics.Describe(v)
			logger.Errorf("Broker [%s] Error handler panicked: %s: %s%s", g.Broker, topic, text, at)
		}
	}()
	// An error of the ErrorHandler has nowhere to go.
	_ = g.ErrorHandler(NewError(topic, m, err))
}

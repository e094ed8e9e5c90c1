package nats

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	nats "github.com/nats-io/nats.go"

	"github.com/rollcall-go/micro/logger"
)

// follow makes nats.go tell of what becomes of the connection, and then the program what
// it asked to be told.
func (c *connection) follow(o *nats.Options) {
	lost, lostOld, found, again, failed, closed := o.DisconnectedErrCB, o.DisconnectedCB, o.ReconnectedCB, o.ReconnectErrCB, o.AsyncErrorCB, o.ClosedCB
	o.DisconnectedErrCB = func(nc *nats.Conn, err error) {
		if err != nil { // it is nil when the program ends the connection
			logger.Warnf("Broker [nats] Lost the server: %s: %v", shownAll(c.urls), err)
		}
		switch {
		case lost != nil:
			lost(nc, err)
		case lostOld != nil:
			lostOld(nc)
		}
	}
	o.ReconnectedCB = func(nc *nats.Conn) {
		c.mu.Lock()
		c.trouble = ""
		for s := range c.subs {
			s.look()
		}
		c.mu.Unlock()
		logger.Infof("Broker [nats] Connected again: %s", shown(nc.ConnectedUrl()))
		if found != nil {
			found(nc)
		}
	}
	o.ReconnectErrCB = func(nc *nats.Conn, err error) {
		c.mu.Lock()
		first := err != nil && c.trouble != err.Error()
		if first {
			c.trouble = err.Error()
		}
		c.mu.Unlock()
		if first {
			logger.Warnf("Broker [nats] Cannot connect again yet: %s: %v", shownAll(c.urls), refused(err))
		}
		if again != nil {
			again(nc, err)
		}
	}
	o.AsyncErrorCB = func(nc *nats.Conn, sub *nats.Subscription, err error) {
		c.asynchronous(sub, err)
		if failed != nil {
			failed(nc, sub, err)
		}
	}
	o.ClosedCB = func(nc *nats.Conn) {
		if closed != nil {
			closed(nc)
		}
		close(c.closed)
	}
}

// asynchronous passes on what no call of the program can return.
func (c *connection) asynchronous(sub *nats.Subscription, err error) {
	topic := ""
	if sub != nil {
		topic = sub.Subject
	}
	if errors.Is(err, nats.ErrSlowConsumer) {
		err = fmt.Errorf("%w; its handler is slower than its publishers: give it broker.Concurrency or a broker.Queue with more members", err)
		if c.handling.Tells() {
			logger.Warnf("Broker [nats] Subscription is behind: %s: %v", topic, err)
		}
	}
	c.handling.Failed(topic, nil, err)
}

// refused says what an error of nats.go at the making of a connection asks for.
func refused(err error) error {
	switch {
	case errors.Is(err, nats.ErrNoServers):
		return fmt.Errorf("nobody listens there; start a nats-server, or say where one is with broker.Addrs or --broker_address: %w", err)
	case errors.Is(err, nats.ErrAuthorization), errors.Is(err, nats.ErrAuthExpired), errors.Is(err, nats.ErrAuthRevoked):
		return fmt.Errorf("the server refuses the user or the password; give others with nats.Auth, nats.AuthFile, nats.CredsFile or in the address: %w", err)
	case errors.Is(err, nats.ErrSecureConnRequired):
		return fmt.Errorf("the server demands TLS; switch it on with broker.Secure(true) or nats.TLSFiles: %w", err)
	case errors.Is(err, nats.ErrSecureConnWanted):
		return fmt.Errorf("the server has no TLS, which was demanded: %w", err)
	case errors.Is(err, nats.ErrTimeout), errors.Is(err, os.ErrDeadlineExceeded):
		return fmt.Errorf("there is no answer in time: %w", err)
	}
	return err
}

// flush waits until the server has taken all that was sent.
func (c *connection) flush(ctx context.Context) error {
	ctx, cancel := bounded(ctx, answerTimeout)
	defer cancel()
	if !c.nc.IsConnected() {
		return nats.ErrDisconnected
	}
	return c.nc.FlushWithContext(ctx)
}

// noContext is the context of a caller that has none.
var noContext context.Context

// bounded returns ctx, which may be nil, with a deadline.
func bounded(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	if ctx == nil {
		ctx = context.Background() // ends by the deadline
	} else if _, given := ctx.Deadline(); given {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, d)
}

// end ends the subscriptions, waits until what they received is handled, and closes the
// connection.
func (c *connection) end() error {
	ctx, cancel := context.WithTimeout(context.Background(), c.grace)
	defer cancel()
	c.mu.Lock()
	c.ended = true
	subs := make([]*subscription, 0, len(c.subs))
	for s := range c.subs {
		subs = append(subs, s)
	}
	c.mu.Unlock()
	for _, s := range subs {
		s.stop()
	}
	var errs []error
	if err := c.received(ctx); err != nil {
		errs = append(errs, err)
	}
	for _, s := range subs {
		errs = append(errs, s.finish(ctx))
	}
	if c.nc.IsConnected() && c.nc.FlushWithContext(ctx) != nil {
		errs = append(errs, errors.New("the server has not taken all that was published"))
	}
	c.nc.Close()
	<-c.closed
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("disconnect from nats: %w", err)
	}
	return nil
}

// received waits until the server sends nothing more to the subscriptions that have
// ended, and what it sent has gone to their handlers.
func (c *connection) received(ctx context.Context) error {
	if c.nc.IsConnected() {
		// A server that does not answer sends nothing either.
		_ = c.nc.FlushWithContext(ctx)
	}
	through := make(chan struct{})
	if c.nc.Barrier(func() { close(through) }) != nil {
		return nil // the connection is closed, and what it received with it
	}
	select {
	case <-through:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("handlers have not returned: %w", ctx.Err())
	}
}

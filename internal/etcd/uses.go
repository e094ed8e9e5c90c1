package etcd

import (
	"context"
	"reflect"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"google.golang.org/grpc/metadata"
)

// What follows is, together with Do, Ready, Link, Reconnect, Explain and Err, all
// that mirrors and claims may use of a Conn.

// Go runs f in a goroutine that Close waits for; f's ctx ends with the Conn. It
// reports false, and does not run f, if the Conn is closed.
func (c *Conn) Go(f func(ctx context.Context)) bool {
	if !c.enter() {
		return false
	}
	go func() {
		defer c.wg.Done()
		f(c.ctx)
	}()
	return true
}

// Hold returns a context for work of the caller's own goroutine: it ends with ctx
// or with the Conn, and Close waits until release is called. It starts connecting.
// It returns an error for a Conn that can never be used or is closed.
func (c *Conn) Hold(ctx context.Context) (held context.Context, release func(), err error) {
	if _, err := c.start(); err != nil {
		return nil, nil, err
	}
	if !c.enter() {
		return nil, nil, ErrClosed
	}
	c.watchCluster()
	held, cancel := context.WithCancel(ctx)
	detach := context.AfterFunc(c.ctx, cancel)
	return held, func() {
		detach()
		cancel()
		c.wg.Done()
	}, nil
}

// enter makes Close wait for the caller, who must call c.wg.Done when it is
// through. It reports false if the Conn is closed.
func (c *Conn) enter() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return false
	}
	c.wg.Add(1)
	return true
}

// Done is closed when the Conn is.
func (c *Conn) Done() <-chan struct{} { return c.ctx.Done() }

// Timeout returns the time that one request may take.
func (c *Conn) Timeout() time.Duration { return c.timeout }

// Rest waits for d, but not longer than until ctx is done or a connection comes up
// that is newer than before.
func (c *Conn) Rest(ctx context.Context, d time.Duration, before Link) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	for {
		link := c.Link()
		if link.Up && link.Generation != before.Generation {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
			return
		case <-link.Changed:
		}
	}
}

// OwnWatcher returns the Watcher that the program put into its own client in place
// of the client's, nil if it did not. No other then watches what the client writes.
func (c *Conn) OwnWatcher() clientv3.Watcher {
	own := c.cfg.Client
	if own == nil || reflect.TypeOf(own.Watcher) == reflect.TypeOf(clientv3.NewWatcher(own)) {
		return nil
	}
	return own.Watcher
}

// Limits returns after which silence the link is not trusted, and how long the
// answer to a small request may take before the member is suspected.
func (c *Conn) Limits() (silence, patience time.Duration) { return c.silence, c.patience }

// Listings is the budget of all listings of this Conn.
func (c *Conn) Listings() *Budget { return c.listings }

// Counters returns what Stats is read from.
func (c *Conn) Counters() *Counters { return &c.counters }

// MarkReceived notes that something arrived from etcd now.
func (c *Conn) MarkReceived() { c.link.markReceived(time.Now()) }

// MarkWatchConfirmed notes that etcd confirmed a watch now.
func (c *Conn) MarkWatchConfirmed() {
	c.MarkReceived()
	c.link.markWatchConfirmed(time.Now())
}

// LastWatchConfirmed returns when etcd last confirmed a watch.
func (c *Conn) LastWatchConfirmed() time.Time { return c.link.lastConfirmed() }

// Watching returns ctx for a watch. The client puts watches on one stream if the
// metadata of their contexts are the same: here all are, but for the token. A
// stream keeps the token that it was opened with and etcd would refuse to add a
// watch to a stream whose token has ended, so a new token needs a new stream.
func (c *Conn) Watching(ctx context.Context) (context.Context, error) {
	ctx = metadata.NewOutgoingContext(ctx, nil)
	if c.auth != nil {
		token, err := c.auth.valid(ctx)
		if err != nil {
			return nil, err
		}
		ctx = withToken(ctx, token)
	}
	return clientv3.WithRequireLeader(ctx), nil
}

package http

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rollcall-go/micro/client"
	"github.com/rollcall-go/micro/internal/backoff"
	"github.com/rollcall-go/micro/internal/defaults"
	"github.com/rollcall-go/micro/internal/endpoint"
	"github.com/rollcall-go/micro/internal/pick"
)

// errSilent is why an attempt ended whose node does not answer any more.
var errSilent = errors.New("the node has fallen silent: it answers neither the request nor OPTIONS * on a new connection")

// outcome is how an attempt ended.
type outcome struct {
	err       error // nil: there is an answer
	unwritten bool  // nothing of the request was written
}

func now() time.Time { return time.Now() }

// try makes one attempt at a node.
func (rt *RoundTripper) try(req *http.Request, to pick.Target, again bool) (*http.Response, outcome) {
	n := to.Conn.(*node)
	ctx, cancel := context.WithCancelCause(req.Context())
	var connected atomic.Bool
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) {
		connected.Store(true)
		n.reached()
	}})
	attempt := req.WithContext(ctx)
	attempt.URL = n.address(req.URL)
	if attempt.Host == "" {
		attempt.Host = req.URL.Host
	}
	span := n.load.Begin()
	w := watch{node: n, again: again, cancel: cancel}
	w.start()
	rsp, err := n.http.RoundTrip(attempt)
	w.stop()
	if err == nil {
		n.heard()
		rsp.Body = newBody(rsp, func() { span.End(nil); cancel(nil); n.done() })
		return rsp, outcome{}
	}
	if cause := context.Cause(ctx); errors.Is(cause, errSilent) {
		err = cause
	}
	cancel(nil)
	o := outcome{err: fmt.Errorf("call %q: %w", n.endpoint.Host, err), unwritten: !connected.Load()}
	if o.unwritten {
		o.err = &endpoint.ConnectError{Address: n.endpoint.Host, Err: err}
	}
	switch {
	case req.Context().Err() != nil:
	case o.unwritten:
		n.refused()
	case !errors.Is(err, errSilent):
		n.load.Broke()
	}
	span.End(o.err)
	n.done()
	return nil, o
}

// address returns where a node is called instead of the service.
func (n *node) address(u *url.URL) *url.URL {
	at := *u
	at.Host = n.endpoint.Host
	if n.endpoint.TLS {
		at.Scheme = "https"
	}
	return &at
}

// watch looks, while an attempt waits for its answer, whether the node still lives.
type watch struct {
	node   *node
	again  bool // the request may be made again
	cancel context.CancelCauseFunc

	mu      sync.Mutex
	timer   *time.Timer
	over    bool
	silence time.Time // since when the node is silent, zero if it is not
}

// silentAtMost is how long a request waits for a silent node that may not be made again.
const silentAtMost = defaults.RequestTimeout

func (w *watch) start() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.timer = time.AfterFunc(defaults.NodeSilence, func() { w.node.all.goes(w.look) })
}

func (w *watch) stop() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.over = true
	w.timer.Stop()
}

// look asks the node for a sign of life.
func (w *watch) look() {
	alive := w.node.asked()
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case w.over:
		return
	case alive:
		w.silence = time.Time{}
	case w.silence.IsZero():
		w.silence = now()
	}
	if !alive && (w.again || now().Sub(w.silence) >= silentAtMost) {
		w.cancel(errSilent)
		return
	}
	w.timer.Reset(time.Second)
}

// body is that of an answer, and says when it was read to its end or closed.
type body struct {
	io.ReadCloser
	once sync.Once
	done func()
}

// duplexBody is that of a connection that was switched to another protocol.
type duplexBody struct {
	*body
	io.Writer
}

func newBody(rsp *http.Response, done func()) io.ReadCloser {
	if rsp.Body == http.NoBody {
		done()
		return rsp.Body
	}
	b := &body{ReadCloser: rsp.Body, done: done}
	if w, ok := rsp.Body.(io.Writer); ok {
		return duplexBody{b, w}
	}
	return b
}

func (b *body) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil {
		b.once.Do(b.done)
	}
	return n, err
}

func (b *body) Close() error {
	err := b.ReadCloser.Close()
	b.once.Do(b.done)
	return err
}

// backOff waits before the attempt of number i.
func backOff(ctx context.Context, req client.Request, i int, f client.BackoffFunc) error {
	if f == nil {
		f = client.DefaultBackoff
	}
	d, err := f(ctx, req, i)
	if err != nil || d <= 0 {
		return err
	}
	return backoff.Wait(ctx, d)
}

package grpc

import (
	stderrors "errors"
	"fmt"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/rollcall-go/micro/errors"
	"github.com/rollcall-go/micro/internal/rpc"
	"github.com/rollcall-go/micro/server"
)

// limiter bounds how many calls the program's methods serve at a time; a stream counts
// as one for as long as it is open. What is beyond is turned away before anything of the
// program's sees it. It takes no lock and allocates nothing for what it lets in.
type limiter struct {
	serving  atomic.Int64
	limit    atomic.Int64
	adaptive *adaptive // nil: the limit stays as it is
	node     string    // the id under which the server is registered
}

// newLimiter returns what obeys server.Options.ConcurrencyLimit, nil for no limit.
func newLimiter(o server.Options) *limiter {
	if o.ConcurrencyLimit == 0 {
		return nil
	}
	l := &limiter{node: nodeID(o)}
	if o.ConcurrencyLimit < 0 {
		l.adaptive = newAdaptive(time.Now())
		l.limit.Store(l.adaptive.current())
	} else {
		l.limit.Store(int64(o.ConcurrencyLimit))
	}
	return l
}

// entered is a call that was let in.
type entered struct {
	limiter *limiter
	began   time.Time
	stream  bool // how long it takes says nothing of the load
}

// enter lets a call in or returns the error for its client.
func (l *limiter) enter(stream bool) (entered, error) {
	n, limit := l.serving.Add(1), l.limit.Load()
	if n > limit {
		l.serving.Add(-1)
		if l.adaptive != nil {
			l.adaptive.reached(n)
		}
		return entered{}, l.refusal(limit)
	}
	in := entered{limiter: l, stream: stream}
	if l.adaptive != nil {
		l.adaptive.reached(n)
		in.began = time.Now()
	}
	return in, nil
}

// leave counts the call out, which ended in *err.
func (in *entered) leave(err *error) {
	l := in.limiter
	l.serving.Add(-1)
	if *err != nil {
		*err = l.begun(*err)
	}
	if l.adaptive == nil || in.stream {
		return
	}
	now := time.Now()
	if limit, changed := l.adaptive.ended(now.Sub(in.began), *err != nil, now); changed {
		l.limit.Store(limit)
	}
}

// begun returns the error of a call that was begun. If it is this node's own refusal, of
// a call that the handler made to its own service, it gets another id: by that of the
// node, clients would make the call again.
func (l *limiter) begun(err error) error {
	var e *errors.Error
	if !stderrors.As(err, &e) {
		e, _ = rpc.FromStatus(err).(*errors.Error)
	}
	if e.GetCode() != http.StatusTooManyRequests || e.GetId() != l.node {
		return err
	}
	return errors.Wrap(l.node+" calling itself", e.GetDetail(), http.StatusTooManyRequests, err)
}

// refusal is the error of a call that was turned away. Its id is that of the node, by
// which a client of ours knows that this node began nothing and another one may be asked.
func (l *limiter) refusal(limit int64) error {
	return errors.New(l.node, fmt.Sprintf("the server has reached its limit of %d calls at a time and has not begun this one: ask another node, or raise the limit with the option ConcurrencyLimit of package server (--server_concurrency_limit)", limit), http.StatusTooManyRequests)
}

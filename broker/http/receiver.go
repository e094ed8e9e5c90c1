package http

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/rollcall-go/micro/broker"
	"github.com/rollcall-go/micro/internal/announce"
	"github.com/rollcall-go/micro/internal/defaults"
	"github.com/rollcall-go/micro/internal/delivery"
	"github.com/rollcall-go/micro/internal/netaddr"
	"github.com/rollcall-go/micro/internal/once"
	"github.com/rollcall-go/micro/logger"
)

const (
	// readTimeout is how long a request may take to arrive, headerTimeout its headers.
	readTimeout   = 30 * time.Second
	headerTimeout = 10 * time.Second
	idleTimeout   = 2 * time.Minute
	// readersAtOnce is how many messages are read at once, each of which may be as large
	// as a message may be.
	readersAtOnce = 64
	// waitersAtOnce is how many requests may wait until the queue of one subscription has
	// room.
	waitersAtOnce = 16
)

// receiver takes what is posted to the subscriptions of this process. Its server has one
// goroutine to accept, which close ends and waits for, and one a connection.
type receiver struct {
	opts     broker.Options
	own      own
	secure   bool
	listener net.Listener
	ipv6Only bool
	server   *http.Server
	served   chan struct{} // closed when nothing more is accepted
	reading  chan struct{} // holds a token for each message that is read
	handling *delivery.Handling
	queues   delivery.Set
	lines    once.Rate

	mu            sync.Mutex // guards what follows
	subscriptions map[string]*subscriber
	closed        bool
	// unused are connections on which nothing has been sent yet: a client may have made
	// more than it needed. net/http would wait for them.
	unused map[net.Conn]struct{}
}

func newReceiver(o broker.Options) (*receiver, error) {
	s := ownOf(o.Context)
	if s.advertise != "" {
		if err := netaddr.Check(s.advertise, false); err != nil {
			return nil, fmt.Errorf("advertise %q: %w", s.advertise, err)
		}
	}
	l, err := announce.Listen(listenOn(o), s.advertise, nil)
	if err != nil {
		return nil, err
	}
	r := &receiver{
		opts: o, own: s, secure: o.Secure || o.TLSConfig != nil,
		listener: l, ipv6Only: netaddr.IPv6Only(l), served: make(chan struct{}),
		reading:       make(chan struct{}, readersAtOnce),
		handling:      delivery.NewHandling("http", o.ErrorHandler),
		subscriptions: map[string]*subscriber{}, unused: map[net.Conn]struct{}{},
	}
	mux := http.NewServeMux()
	mux.Handle(broker.DefaultPath, r)
	for pattern, h := range s.handlers {
		mux.Handle(pattern, h)
	}
	r.server = &http.Server{
		Handler: mux, ReadHeaderTimeout: headerTimeout, ReadTimeout: readTimeout, IdleTimeout: idleTimeout,
		MaxHeaderBytes: 64 << 10, ErrorLog: debugLog(), ConnState: r.note,
	}
	go r.serve()
	return r, nil
}

func (r *receiver) serve() {
	defer close(r.served)
	var err error
	if r.secure {
		config := r.opts.TLSConfig
		if config == nil {
			config = &tls.Config{MinVersion: tls.VersionTLS12} // nobody can subscribe
		}
		r.server.TLSConfig = config.Clone()
		err = r.server.ServeTLS(r.listener, "", "")
	} else {
		err = r.server.Serve(r.listener)
	}
	if !errors.Is(err, http.ErrServerClosed) {
		logger.Errorf("Broker [http] Receives no more messages: %s: %v", r.listener.Addr(), err)
	}
}

// note keeps track of the connections that are unused.
func (r *receiver) note(c net.Conn, state http.ConnState) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if state == http.StateNew {
		r.unused[c] = struct{}{}
	} else {
		delete(r.unused, c)
	}
}

// closeUnused closes them.
func (r *receiver) closeUnused() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for c := range r.unused {
		c.Close()
	}
}

// identified reports whether the TLS settings have a certificate to show.
func identified(c *tls.Config) bool {
	return c != nil && (len(c.Certificates) > 0 || c.GetCertificate != nil || c.GetConfigForClient != nil)
}

// find returns the subscription with the id of a node, nil if there is none.
func (r *receiver) find(id string) *subscriber {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.subscriptions[id]
}

// remove takes a subscription out.
func (r *receiver) remove(s *subscriber) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.subscriptions, s.id)
}

// close deregisters the subscriptions, takes what publishers post that have not heard of
// it yet, and returns when all that was taken is handled, or ctx is done.
func (r *receiver) close(ctx context.Context) error {
	r.mu.Lock()
	r.closed = true
	var all []*subscriber
	for _, s := range r.subscriptions {
		all = append(all, s)
	}
	r.mu.Unlock()
	var leaving sync.WaitGroup
	errs := make([]error, len(all))
	for i, s := range all {
		leaving.Go(func() { errs[i] = s.leave() })
	}
	leaving.Wait()
	if len(all) > 0 {
		linger := time.NewTimer(defaults.DeregisterDelay)
		defer linger.Stop()
		select {
		case <-linger.C:
		case <-r.served:
		case <-ctx.Done():
		}
	}
	for _, s := range all {
		r.remove(s)
		s.queue.Close()
	}
	errs = append(errs, r.shutdown(ctx), r.queues.Drain(ctx))
	return errors.Join(errs...)
}

// shutdown ends the server, and requests that are still served when ctx is done.
func (r *receiver) shutdown(ctx context.Context) error {
	r.closeUnused()
	err := r.server.Shutdown(ctx)
	if err != nil {
		err = fmt.Errorf("finish requests: %w", errors.Join(err, r.server.Close()))
	}
	r.listener.Close() // also of a server that had not begun to serve
	<-r.served
	return err
}

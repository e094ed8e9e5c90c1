package http

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/rollcall-go/micro/internal/endpoint"
	"github.com/rollcall-go/micro/internal/secure"
)

// nodes are those that one RoundTripper knows, and own what is begun for them.
type nodes struct {
	dialer *secure.Dialer
	clock  *endpoint.Clock
	failed func(address string) // hears of each connection that could not be made

	mu     sync.Mutex // guards what follows
	all    map[endpoint.Endpoint]*node
	ctx    context.Context // ended by close; nil before the first use
	cancel context.CancelFunc
	closed bool
	wg     sync.WaitGroup // the goroutines of goes
}

// Of one node.
const (
	mostIdle    = 100 // connections that wait for a request
	idleAtMost  = time.Minute
	expectsWait = time.Second
)

// of returns the node at an endpoint.
func (ns *nodes) of(e endpoint.Endpoint) *node {
	e.Says, e.Pings, e.Transport = "", false, "" // the same place, whatever is said of it
	ns.mu.Lock()
	defer ns.mu.Unlock()
	if n := ns.all[e]; n != nil {
		return n
	}
	n := &node{endpoint: e, all: ns}
	n.load.Measure(ns.clock)
	n.http = &http.Transport{
		DialContext: n.dial, DialTLSContext: n.dialTLS,
		ForceAttemptHTTP2:     true,
		MaxIdleConnsPerHost:   mostIdle,
		IdleConnTimeout:       idleAtMost,
		ExpectContinueTimeout: expectsWait,
	}
	if ns.all == nil {
		ns.all = map[endpoint.Endpoint]*node{}
	}
	ns.all[e] = n
	return n
}

// keep lets go of the nodes that are not listed.
func (ns *nodes) keep(listed map[endpoint.Endpoint]bool) {
	bare := make(map[endpoint.Endpoint]bool, len(listed))
	for e := range listed {
		e.Says, e.Pings, e.Transport = "", false, ""
		bare[e] = true
	}
	ns.mu.Lock()
	defer ns.mu.Unlock()
	for e, n := range ns.all {
		if !bare[e] {
			delete(ns.all, e)
			n.leave()
		}
	}
}

// context returns what ends with close.
func (ns *nodes) context() context.Context {
	ns.mu.Lock()
	defer ns.mu.Unlock()
	return ns.living()
}

// living is context. The caller holds mu.
func (ns *nodes) living() context.Context {
	if ns.ctx == nil {
		// Ended by close.
		ns.ctx, ns.cancel = context.WithCancel(context.Background())
		if ns.closed {
			ns.cancel()
		}
	}
	return ns.ctx
}

// goes runs f in a goroutine that close waits for. It reports false, and runs nothing, once
// closed.
func (ns *nodes) goes(f func()) bool {
	ns.mu.Lock()
	defer ns.mu.Unlock()
	if ns.closed {
		return false
	}
	ns.wg.Go(f)
	return true
}

// close ends what was begun, and waits.
func (ns *nodes) close() {
	ns.mu.Lock()
	ns.closed = true
	ns.living()
	ns.cancel()
	for _, n := range ns.all {
		n.leave()
	}
	ns.mu.Unlock()
	ns.wg.Wait()
}

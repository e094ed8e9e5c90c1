package grpc

import (
	"sync"

	"github.com/rollcall-go/micro/internal/endpoint"
	"github.com/rollcall-go/micro/internal/record"
	"github.com/rollcall-go/micro/logger"
	"github.com/rollcall-go/micro/registry"
)

// places are the endpoints of the nodes that are known, so that each record is read
// once, when it is new, and not with every change of its service. The zero value is
// ready for use.
type places struct {
	mu     sync.Mutex // guards what follows
	known  map[place]endpointOf
	before map[place]endpointOf // known before the last renew
	warned once
}

// place is what an endpoint is made from.
type place struct {
	address, transport string
	ours               bool
}

type endpointOf struct {
	endpoint endpoint.Endpoint
	err      error
}

// of returns the endpoint of a node, or why the node cannot be called.
func (p *places) of(n *registry.Node) (endpoint.Endpoint, error) {
	at := place{n.Address, n.Metadata["transport"], n.Metadata[record.Mark] != ""}
	p.mu.Lock()
	defer p.mu.Unlock()
	if e, ok := p.known[at]; ok {
		return e.endpoint, e.err
	}
	e, ok := p.before[at]
	if !ok {
		e.endpoint, e.err = endpoint.OfNode(n)
		if e.err != nil && p.warned.first(n.Address) {
			logger.Warnf("Client [grpc] Skip node %q, which cannot be called: %v", n.Id, e.err)
		}
	}
	if p.known == nil {
		p.known = map[place]endpointOf{}
	}
	p.known[at] = e
	return e.endpoint, e.err
}

// renew forgets what was not asked for since the last renew.
func (p *places) renew() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.before, p.known = p.known, nil
}

// once remembers what was warned of. The zero value is ready for use.
type once struct {
	mu   sync.Mutex
	seen map[string]bool
}

// mostWarnings bounds how much is warned of: it may come from outside.
const mostWarnings = 100

// first reports whether what was not seen before, and is worth a warning.
func (o *once) first(what string) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.seen[what] || len(o.seen) >= mostWarnings {
		return false
	}
	if o.seen == nil {
		o.seen = map[string]bool{}
	}
	o.seen[what] = true
	return true
}

package grpc

import (
	"sync"

	"github.com/rollcall-go/micro/internal/endpoint"
	"github.com/rollcall-go/micro/internal/once"
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
	warned once.Set
}

// place is what an endpoint is made from.
type place struct {
	address, transport, tls string
	ours                    bool
}

type endpointOf struct {
	endpoint endpoint.Endpoint
	err      error
}

// of returns the endpoint of a node, or why the node cannot be called.
func (p *places) of(n *registry.Node) (endpoint.Endpoint, error) {
	at := place{n.Address, n.Metadata["transport"], n.Metadata[record.TLS], n.Metadata[record.Mark] != ""}
	p.mu.Lock()
	defer p.mu.Unlock()
	if e, ok := p.known[at]; ok {
		return e.endpoint, e.err
	}
	e, ok := p.before[at]
	if !ok {
		e.endpoint, e.err = endpoint.OfNode(n)
		if e.err != nil && p.warned.First(n.Address) {
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

package doctor

import (
	"context"
	"fmt"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/rollcall-go/micro/internal/netaddr"
	"github.com/rollcall-go/micro/internal/record"
	"github.com/rollcall-go/micro/internal/secure"
	"github.com/rollcall-go/micro/registry"
)

// mostHandshakes is how many nodes are asked for their certificates.
const mostHandshakes = 1000

// ExamineTLS looks at how the nodes of services can be called by a client that is secured
// as said: which of them speak TLS, and with what certificates, which a handshake with each
// brings out. Without anything said, certificates are looked at and not verified. It
// returns when ctx ends. The list is empty if nothing is about TLS.
func ExamineTLS(ctx context.Context, client secure.Client, services []*registry.Service) []Finding {
	var r report
	var speak, plain []node
	for _, s := range services {
		for _, n := range s.Nodes {
			found := node{service: s.Name, id: n.Id, address: n.Address}
			says := n.Metadata[record.TLS]
			address, demands := strings.CutPrefix(n.Address, "https://")
			if netaddr.Check(address, true) != nil {
				continue // which is reported elsewhere
			}
			found.address = address
			if secured, _ := client.Decide(demands, says); secured || says != "" {
				speak = append(speak, found)
			} else {
				plain = append(plain, found)
			}
			if says == record.TLSBoth {
				r.warn("node.takes_plaintext", found.name(), "once none of its callers needs it, start it with --server_tls_mode=only", "it takes calls in plaintext beside those by TLS")
			}
		}
	}
	if len(speak) == 0 {
		return nil
	}
	for _, n := range plain {
		r.warn("node.plaintext", n.name(), "give it a certificate with --server_tls_cert and --server_tls_key (docs/TLS.md)",
			"it says nothing of TLS and is called in plaintext, while %s of the registry can be called by TLS", number(len(speak), "node"))
	}
	r.handshakes(ctx, client, speak)
	return Brief(r)
}

// handshakes makes one with each of the nodes.
func (r *report) handshakes(ctx context.Context, client secure.Client, nodes []node) {
	verified, dialer := client.Given(), secure.NewDialer(client, nil)
	if !verified {
		dialer = secure.NewLook()
		r.warn("node.tls_unverified", number(len(nodes), "node"), "say whom to trust with --client_tls_ca, and --client_tls_identity, as callers do", "their certificates were not verified")
	}
	if n := len(nodes) - mostHandshakes; n > 0 {
		r.warn("node.unchecked", fmt.Sprintf("%d of %s", n, number(len(nodes), "node")), "the others stand for them", "no handshake was made with them")
		nodes = nodes[:mostHandshakes]
	}
	var mu sync.Mutex
	found := make([]report, len(nodes))
	good := 0
	inParallel(dialsAtOnce, len(nodes), func(i int) {
		if ctx.Err() != nil {
			return
		}
		if found[i].handshake(ctx, dialer, nodes[i]) {
			mu.Lock()
			defer mu.Unlock()
			good++
		}
	})
	for _, f := range found {
		*r = append(*r, f...)
	}
	if good > 0 && verified {
		r.ok("node.tls", number(good, "node"), "called by TLS, with certificates that are trusted")
	}
}

// handshake makes one with a node, and reports whether that went well. A node that does not
// answer at all is reported elsewhere.
func (r *report) handshake(ctx context.Context, dialer *secure.Dialer, n node) bool {
	ctx, cancel := context.WithTimeout(ctx, dialLimit)
	defer cancel()
	raw, err := new(net.Dialer).DialContext(ctx, "tcp", n.address)
	if err != nil {
		return false
	}
	defer func() { _ = raw.Close() }() // nothing was written that could be lost
	_ = raw.SetDeadline(time.Now().Add(dialLimit))
	to := secure.Node{Host: n.address, Service: n.service, TLS: true}
	leaf, err := dialer.Try(ctx, to, raw)
	if err != nil {
		r.problem("node.tls_"+string(secure.ReasonOf(err)), n.name(), "see what it says; docs/TLS.md has the settings of both ends", "it cannot be called by TLS at %s: %v", n.address, err)
		return false
	}
	switch left := time.Until(leaf.NotAfter); {
	case left < 0:
		r.problem("node.tls_expired", n.name(), "renew it in the files of its --server_tls_cert and --server_tls_key; no restart is needed", "its certificate ended on %s", leaf.NotAfter.UTC().Format(time.RFC3339))
		return false
	case left < soon && leaf.NotAfter.Sub(leaf.NotBefore) > 2*soon, left < leaf.NotAfter.Sub(leaf.NotBefore)/10: // those that live for a day are renewed each day
		r.warn("node.tls_expires_soon", n.name(), "renew it in the files of its --server_tls_cert and --server_tls_key; no restart is needed", "its certificate ends on %s", leaf.NotAfter.UTC().Format(time.RFC3339))
	}
	return true
}

package doctor

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/rollcall-go/micro/internal/netaddr"
)

const (
	// dialLimit is how long one node may take to accept a connection.
	dialLimit = time.Second
	// dialsAtOnce is how many nodes are dialled at a time.
	dialsAtOnce = 64
)

// examineNodes looks at what every registry has of nodes. remote says that it is on
// another host than we are.
func examineNodes(ctx context.Context, r *report, nodes []node, remote bool) {
	examineAddresses(ctx, r, nodes, remote)
	examineDuplicates(r, nodes)
}

// examineAddresses looks at the address of each node, and dials it.
func examineAddresses(ctx context.Context, r *report, nodes []node, remote bool) {
	const advertise = "start the service with --server_advertise, an address that others can dial"
	var dialled []node
	for _, n := range nodes {
		err := netaddr.Check(n.address, true)
		switch {
		case err != nil:
			r.problem("node.address_malformed", n.name(), advertise, "it is registered at %q: %v", n.address, err)
			continue
		case wildcard(n.address):
			r.problem("node.address_wildcard", n.name(), advertise, "it is registered at %q: nobody can dial that", n.address)
			continue
		case remote && loopback(n.address):
			r.warn("node.address_loopback", n.name(), advertise, "it is registered at %q: only programs on its own host reach it", n.address)
			continue // what answers there on this host is another one
		}
		dialled = append(dialled, n)
	}

	addrs := make([]string, 0, len(dialled))
	for _, n := range dialled {
		addrs = append(addrs, n.address)
	}
	slices.Sort(addrs)
	answers := dialAll(ctx, slices.Compact(addrs))
	unknown := 0
	for _, n := range dialled {
		err, known := answers[n.address]
		switch {
		case !known:
			unknown++
		case err != nil:
			r.problem("node.unreachable", n.name(), "see whether its process runs, and whether this host may connect to it; callers elsewhere may",
				"nothing answers at %s: %s%s", n.address, err, n.standing)
		}
	}
	if unknown > 0 {
		r.warn("node.unchecked", fmt.Sprintf("%d of %s", unknown, number(len(nodes), "node")), "give it more time with --timeout", "there was no time to dial them")
	}
}

// dialAll tries to connect to each address and returns what became of it, with
// nothing for those that there was no time for.
func dialAll(ctx context.Context, addrs []string) map[string]error {
	var mu sync.Mutex
	answers := make(map[string]error, len(addrs))
	inParallel(dialsAtOnce, len(addrs), func(i int) {
		if ctx.Err() != nil {
			return
		}
		own, cancel := context.WithTimeout(ctx, dialLimit)
		defer cancel()
		conn, err := new(net.Dialer).DialContext(own, "tcp", addrs[i])
		if err == nil {
			_ = conn.Close()
		} else if ctx.Err() != nil {
			return
		}
		mu.Lock()
		defer mu.Unlock()
		answers[addrs[i]] = inShort(err)
	})
	return answers
}

// inShort says in few words why a dial failed.
func inShort(err error) error {
	var name *net.DNSError
	switch {
	case err == nil:
		return nil
	case errors.Is(err, syscall.ECONNREFUSED):
		return errors.New("connection refused")
	case errors.As(err, &name):
		return fmt.Errorf("the name %q does not resolve here", name.Name)
	case timedOut(err):
		return fmt.Errorf("no connection within %v", dialLimit)
	}
	return err
}

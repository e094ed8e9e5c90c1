// Package announce brings a server into the registry and out of it again: it opens the
// listener, chooses the address that callers are given, makes the record of the node
// and keeps it enrolled. Servers of every protocol share it, so that the same options
// mean the same for all of them.
package announce

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"syscall"

	"github.com/rollcall-go/micro/internal/ability"
	"github.com/rollcall-go/micro/internal/defaults"
	"github.com/rollcall-go/micro/internal/netaddr"
	"github.com/rollcall-go/micro/internal/record"
	"github.com/rollcall-go/micro/registry"
)

// Node is what a server says of itself. It is not changed once it was given away.
type Node struct {
	Name, Version string
	ID            string // the whole id of the node
	Registry      registry.Registry
	// Metadata is what the program gave; Says is what the server adds, which goes before it.
	Metadata, Says map[string]string
	Endpoints      []*registry.Endpoint
	// Advertise is the address to publish, empty to choose one; Interface and CIDR
	// restrict the choice.
	Advertise, Interface, CIDR string
}

// Check returns what can never be registered, whatever the registry does.
func (n Node) Check() error {
	if err := record.Check(&registry.Service{
		Name: n.Name, Version: n.Version,
		Nodes: []*registry.Node{{Id: n.ID}},
	}); err != nil {
		return err
	}
	if n.Advertise != "" {
		if err := netaddr.Check(n.Advertise, false); err != nil {
			return fmt.Errorf("advertise %q: %w", n.Advertise, err)
		}
	}
	if n.CIDR != "" {
		if _, err := netaddr.ParseCIDR(n.CIDR); err != nil {
			return fmt.Errorf("advertise an address within a network: %w", err)
		}
	}
	if n.Registry == nil {
		return errors.New("the server has no registry to be announced in")
	}
	return ability.Check(n.Registry)
}

// Listen returns a listener at address, host:port, or given if that is not nil; then
// callers must be able to reach it, by advertise if not at its own address.
func Listen(address, advertise string, given net.Listener) (net.Listener, error) {
	if given != nil {
		return given, netaddr.CheckListener(given.Addr(), advertise)
	}
	l, err := net.Listen("tcp", address)
	switch {
	case err == nil:
		return l, nil
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("listen on %q: somebody else does; give another address with --server_address, :0 for a free port: %w", address, err)
	}
	if _, _, bad := net.SplitHostPort(address); bad != nil {
		return nil, fmt.Errorf("listen on %q: want host:port, such as :8080 (--server_address): %w", address, err)
	}
	return nil, fmt.Errorf("listen on %q: %w", address, err)
}

// service returns the record of n, which listens at bound, and how its address came
// about.
func (n Node) service(ctx context.Context, bound string, ipv6Only bool) (*registry.Service, netaddr.Choice, error) {
	choice, err := netaddr.System().Advertise(ctx, netaddr.Wish{
		Bound: bound, IPv6Only: ipv6Only, Advertise: n.Advertise,
		Interface: n.Interface, CIDR: n.CIDR,
		Registry: n.Registry.Options().Addrs,
	})
	if err != nil {
		return nil, choice, fmt.Errorf("find the address to register: %w", err)
	}
	md := maps.Clone(n.Metadata)
	if md == nil {
		md = make(map[string]string)
	}
	maps.Copy(md, n.Says)
	md["registry"] = n.Registry.String()
	md[record.Mark] = defaults.Version
	return &registry.Service{
		Name: n.Name, Version: n.Version, Endpoints: n.Endpoints,
		Nodes: []*registry.Node{{Id: n.ID, Address: choice.Address, Metadata: md}},
	}, choice, nil
}

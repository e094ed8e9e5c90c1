package grpc

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/rollcall-go/micro/broker"
	"github.com/rollcall-go/micro/internal/defaults"
	"github.com/rollcall-go/micro/internal/netaddr"
	"github.com/rollcall-go/micro/internal/record"
	"github.com/rollcall-go/micro/logger"
	"github.com/rollcall-go/micro/registry"
	"github.com/rollcall-go/micro/server"
)

// describe describes the server as it is to be registered. Only a running server
// has an address to give.
func (s *grpcServer) describe(ctx context.Context) (*registry.Service, error) {
	s.mu.Lock()
	o, handlers, services, ipv6Only := s.opts, slices.Clone(s.handlers), s.services, s.ipv6Only
	s.mu.Unlock()
	choice, err := netaddr.System().Advertise(ctx, netaddr.Wish{
		Bound: o.Address, IPv6Only: ipv6Only, Advertise: o.Advertise,
		Interface: o.AdvertiseInterface, CIDR: o.AdvertiseCIDR,
		Registry: o.Registry.Options().Addrs,
	})
	if err != nil {
		return nil, fmt.Errorf("find the address to register: %w", err)
	}
	s.logAddress(choice)
	md := maps.Clone(o.Metadata)
	if md == nil {
		md = make(map[string]string)
	}
	md["broker"] = brokerName(o.Broker)
	md["protocol"] = "grpc"
	md["registry"] = o.Registry.String()
	md["server"] = s.String()
	md["transport"] = s.String()
	md[record.Mark] = defaults.Version
	if says := security(o).Says(); says != "" {
		md[record.TLS] = says
	}
	endpoints := []*registry.Endpoint{}
	for _, h := range handlers {
		if !h.Options().Internal {
			endpoints = append(endpoints, h.Endpoints()...)
		}
	}
	for _, sv := range services {
		endpoints = append(endpoints, sv.endpoints()...)
	}
	return &registry.Service{
		Name:      o.Name,
		Version:   o.Version,
		Endpoints: endpoints,
		Nodes:     []*registry.Node{{Id: nodeID(o), Address: choice.Address, Metadata: md}},
	}, nil
}

// logAddress logs the address that is registered, and why that one, whenever it is
// another than before.
func (s *grpcServer) logAddress(c netaddr.Choice) {
	s.mu.Lock()
	before := s.announced
	s.announced = c.Address
	s.mu.Unlock()
	switch {
	case c.Address == before:
	case c.Loopback:
		logger.Warnf("Server [grpc] Advertising %s; other hosts cannot reach it: give an address with --server_advertise", c)
	default:
		logger.Infof("Server [grpc] Advertising %s", c)
	}
}

// brokerName returns what v2 registers for a broker, its default if there is none.
func brokerName(b broker.Broker) string {
	if b == nil {
		return broker.DefaultBroker.String()
	}
	return b.String()
}

// nodeID returns the id of the server's node.
func nodeID(o server.Options) string { return record.NodeID(o.Name, o.Id) }

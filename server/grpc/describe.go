package grpc

import (
	"slices"

	"github.com/rollcall-go/micro/broker"
	"github.com/rollcall-go/micro/internal/announce"
	"github.com/rollcall-go/micro/internal/record"
	"github.com/rollcall-go/micro/registry"
	"github.com/rollcall-go/micro/server"
)

// node returns what the server says of itself.
func (s *grpcServer) node() announce.Node {
	s.mu.Lock()
	o, handlers, services, subscribers := s.opts, slices.Clone(s.handlers), s.services, slices.Clone(s.subscribers)
	s.mu.Unlock()
	n := node(o)
	n.Endpoints = []*registry.Endpoint{}
	for _, h := range handlers {
		if !h.Options().Internal {
			n.Endpoints = append(n.Endpoints, h.Endpoints()...)
		}
	}
	for _, sv := range services {
		n.Endpoints = append(n.Endpoints, sv.endpoints()...)
	}
	n.Endpoints = append(n.Endpoints, advertised(subscribers)...)
	return n
}

// node returns what the options say of a server's node.
func node(o server.Options) announce.Node {
	says := map[string]string{
		"broker":    brokerName(o.Broker),
		"protocol":  "grpc",
		"server":    "grpc",
		"transport": "grpc",
	}
	if tls := security(o).Says(); tls != "" {
		says[record.TLS] = tls
	}
	return announce.Node{
		Name: o.Name, Version: o.Version, ID: nodeID(o), Registry: o.Registry,
		Metadata: o.Metadata, Says: says,
		Advertise: o.Advertise, Interface: o.AdvertiseInterface, CIDR: o.AdvertiseCIDR,
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

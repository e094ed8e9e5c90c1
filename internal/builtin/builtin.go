// Package builtin is the one list of the implementations that can be chosen by
// name, with --registry=etcd and the like. What a command line offers, accepts and
// says of them comes from here.
//
// Importing it links them all in; nothing runs until one is constructed.
package builtin

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/rollcall-go/micro/broker"
	brokerhttp "github.com/rollcall-go/micro/broker/http"
	brokermemory "github.com/rollcall-go/micro/broker/memory"
	"github.com/rollcall-go/micro/broker/nats"
	"github.com/rollcall-go/micro/client"
	cgrpc "github.com/rollcall-go/micro/client/grpc"
	"github.com/rollcall-go/micro/client/selector"
	"github.com/rollcall-go/micro/client/selector/dns"
	"github.com/rollcall-go/micro/client/selector/static"
	"github.com/rollcall-go/micro/internal/registryflags"
	"github.com/rollcall-go/micro/registry"
	"github.com/rollcall-go/micro/registry/consul"
	"github.com/rollcall-go/micro/registry/etcd"
	"github.com/rollcall-go/micro/registry/mdns"
	"github.com/rollcall-go/micro/registry/memory"
	"github.com/rollcall-go/micro/server"
	sgrpc "github.com/rollcall-go/micro/server/grpc"
	"github.com/rollcall-go/micro/transport"
	transportgrpc "github.com/rollcall-go/micro/transport/grpc"
	transporthttp "github.com/rollcall-go/micro/transport/http"
	transportmemory "github.com/rollcall-go/micro/transport/memory"
)

// Entry is an implementation of a contract, whose constructor is a C.
type Entry[C any] struct {
	Name    string
	Aliases []string // what it was called elsewhere
	Summary string   // for a help text; empty if the name says it
	New     C
	// Missing says, in place of New, why the name that v2 knows cannot be chosen.
	Missing string
	// Flags are the flags of package registryflags that the implementation obeys.
	Flags []string
}

// The constructors.
type (
	NewRegistry  = func(...registry.Option) registry.Registry
	NewClient    = func(...client.Option) client.Client
	NewServer    = func(...server.Option) server.Server
	NewTransport = func(...transport.Option) transport.Transport
	NewSelector  = func(...selector.Option) selector.Selector
	NewBroker    = func(...broker.Option) broker.Broker
)

// Registries returns the registries.
func Registries() []Entry[NewRegistry] {
	return []Entry[NewRegistry]{
		{Name: "mdns", Summary: "multicast DNS, no server", New: mdns.NewRegistry},
		{Name: "etcd", Aliases: []string{"etcdv3"}, Summary: "version 3", New: etcd.NewRegistry, Flags: registryflags.Without(registryflags.Token, registryflags.TokenFile)},
		{Name: "consul", Summary: "HTTP API of an agent", New: consul.NewRegistry, Flags: registryflags.Without(registryflags.Namespace)},
		{Name: "memory", Summary: "this process alone", New: memory.NewRegistry},
		{Name: "service", Missing: "the registry of micro's runtime is not in this release; start an etcd with `micro server` and choose it with --registry=etcd"},
	}
}

// Clients returns the clients.
func Clients() []Entry[NewClient] {
	return []Entry[NewClient]{
		{Name: "grpc", New: cgrpc.NewClient},
		{Name: "mucp", Missing: "mucp is not in Rollcall; grpc reaches v2's grpc services"},
	}
}

// Servers returns the servers.
func Servers() []Entry[NewServer] {
	return []Entry[NewServer]{
		{Name: "grpc", New: sgrpc.NewServer},
		{Name: "mucp", Missing: "mucp is not in Rollcall; grpc serves v2's grpc clients"},
	}
}

// Brokers returns the brokers.
func Brokers() []Entry[NewBroker] {
	return []Entry[NewBroker]{
		{Name: "http", Summary: "no server: subscribers stand in the registry", New: brokerhttp.NewBroker},
		{Name: "nats", Summary: "a server of NATS", New: nats.NewBroker},
		{Name: "memory", Summary: "this process alone", New: brokermemory.NewBroker},
		{Name: "service", Missing: "the broker of micro's runtime is not in this release; http needs no server either"},
	}
}

// Transports returns the transports. Calls need none of them: they go over gRPC.
func Transports() []Entry[NewTransport] {
	const over = "calls go over gRPC, which needs no transport; leave it out"
	return []Entry[NewTransport]{
		{Name: "http", New: transporthttp.NewTransport},
		{Name: "memory", Summary: "this process alone", New: transportmemory.NewTransport},
		{Name: "grpc", New: transportgrpc.NewTransport},
		{Name: "quic", Missing: over},
		{Name: "nats", Missing: over},
		{Name: "tcp", Missing: over},
		{Name: "utp", Missing: over},
		{Name: "rabbitmq", Missing: over},
	}
}

// Selectors returns the selectors that look up no registry. The registry's own is the default.
func Selectors() []Entry[NewSelector] {
	return []Entry[NewSelector]{
		{Name: "dns", Summary: "addresses and SRV records", New: dns.NewSelector},
		{Name: "static", Summary: "the service's name is its address", New: static.NewSelector},
		{Name: "router", Missing: "the router of micro's network is not in this release; leave it out: services are looked up in the registry"},
	}
}

// Map returns the constructors by name. The map is the caller's.
func Map[C any](entries []Entry[C]) map[string]C {
	m := map[string]C{}
	for _, e := range entries {
		if e.Missing == "" {
			m[e.Name] = e.New
		}
	}
	return m
}

// Choices lists the names that can be chosen, each with its summary, for a help
// text.
func Choices[C any](entries []Entry[C]) string {
	var all []string
	for _, e := range entries {
		switch {
		case e.Missing != "":
		case e.Summary == "":
			all = append(all, e.Name)
		default:
			all = append(all, fmt.Sprintf("%s (%s)", e.Name, e.Summary))
		}
	}
	return strings.Join(all, ", ")
}

// Resolve returns the proper form of a name that may be written in capitals or be
// an alias, among the entries and the names of the program's own. The error of a
// name that cannot be chosen says what can; kind, "registry" say, is what all of
// them are.
func Resolve[C any](kind string, entries []Entry[C], own map[string]C, name string) (string, error) {
	if _, ok := own[name]; ok {
		return name, nil
	}
	choices := slices.Sorted(maps.Keys(own))
	for _, choice := range choices {
		if strings.EqualFold(choice, name) {
			return choice, nil
		}
	}
	why := "unknown " + kind
	for _, e := range entries {
		switch {
		case !slices.ContainsFunc(append(e.Aliases, e.Name), func(n string) bool { return strings.EqualFold(n, name) }):
		case e.Missing != "":
			why = e.Missing
		case slices.Contains(choices, e.Name):
			return e.Name, nil
		}
	}
	return "", fmt.Errorf("%s; choose one of: %s", why, strings.Join(choices, ", "))
}

// Find returns the entry of the name, false if there is none.
func Find[C any](entries []Entry[C], name string) (Entry[C], bool) {
	i := slices.IndexFunc(entries, func(e Entry[C]) bool { return e.Name == name })
	if i < 0 {
		return Entry[C]{}, false
	}
	return entries[i], true
}

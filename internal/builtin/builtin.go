// Package builtin is the one list of the implementations that can be chosen by
// name, with --registry=etcd and the like.
//
// Importing it links them all in; nothing runs until one is constructed.
package builtin

import (
	"github.com/rollcall-go/micro/client"
	cgrpc "github.com/rollcall-go/micro/client/grpc"
	"github.com/rollcall-go/micro/registry"
	"github.com/rollcall-go/micro/registry/etcd"
	"github.com/rollcall-go/micro/registry/memory"
	"github.com/rollcall-go/micro/server"
	sgrpc "github.com/rollcall-go/micro/server/grpc"
)

// Registries returns the constructors of the registries by name. The map is the
// caller's.
func Registries() map[string]func(...registry.Option) registry.Registry {
	return map[string]func(...registry.Option) registry.Registry{
		"etcd":   etcd.NewRegistry,
		"mdns":   registry.NewRegistry,
		"memory": memory.NewRegistry,
	}
}

// Clients returns the constructors of the clients by name. The map is the
// caller's.
func Clients() map[string]func(...client.Option) client.Client {
	return map[string]func(...client.Option) client.Client{"grpc": cgrpc.NewClient}
}

// Servers returns the constructors of the servers by name. The map is the
// caller's.
func Servers() map[string]func(...server.Option) server.Server {
	return map[string]func(...server.Option) server.Server{"grpc": sgrpc.NewServer}
}

package grpc

import (
	"reflect"

	"google.golang.org/grpc"
	"google.golang.org/grpc/reflection"
	reflectionpb "google.golang.org/grpc/reflection/grpc_reflection_v1"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/rollcall-go/micro/internal/protomsg"
	"github.com/rollcall-go/micro/internal/rpc"
)

// registerReflection registers the reflection service, unless the program brought
// one.
func (s *grpcServer) registerReflection(g *grpc.Server) {
	if _, own := g.GetServiceInfo()[reflectionpb.ServerReflection_ServiceDesc.ServiceName]; own {
		return
	}
	listed := g.GetServiceInfo()
	for _, sv := range s.services {
		delete(listed, aliasOf(s.opts.Name, sv.desc))
	}
	for _, sv := range s.services {
		listed[sv.desc.ServiceName] = grpc.ServiceInfo{}
	}
	listed[reflectionpb.ServerReflection_ServiceDesc.ServiceName] = grpc.ServiceInfo{}
	reflectionpb.RegisterServerReflectionServer(g, reflection.NewServerV1(reflection.ServerOptions{
		Services: listing{fixed: listed, server: s.opts.Name, table: &s.table},
	}))
}

// listing is the services that reflection lists: those registered with grpc, and
// the handlers.
type listing struct {
	fixed  map[string]grpc.ServiceInfo
	server string
	table  *rpc.Table
}

var _ reflection.ServiceInfoProvider = listing{}

// GetServiceInfo returns the names; nobody looks at the rest.
func (l listing) GetServiceInfo() map[string]grpc.ServiceInfo {
	out := make(map[string]grpc.ServiceInfo, len(l.fixed))
	for name := range l.fixed {
		out[name] = grpc.ServiceInfo{}
	}
	for _, h := range l.table.Handlers() {
		out[l.nameOf(h)] = grpc.ServiceInfo{}
	}
	return out
}

// nameOf returns the name that a handler can be called by and, if there is one,
// described by: that of the protobuf service which was generated together with
// its messages.
func (l listing) nameOf(h *rpc.Handler) string {
	for _, m := range h.Methods {
		if m.Stream {
			continue
		}
		call := m.NewCall()
		msg, ok := protomsg.Of(call.Target())
		if !ok {
			continue
		}
		file := msg.ProtoReflect().Descriptor().ParentFile()
		if file == nil || reflect.ValueOf(file).IsZero() {
			continue
		}
		if sd := file.Services().ByName(protoreflect.Name(h.Name)); sd != nil {
			return string(sd.FullName())
		}
	}
	return l.server + "." + h.Name
}

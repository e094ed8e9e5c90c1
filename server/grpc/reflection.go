package grpc

import (
	"reflect"

	"google.golang.org/grpc"
	"google.golang.org/grpc/reflection"
	reflectionpb "google.golang.org/grpc/reflection/grpc_reflection_v1"
	alphapb "google.golang.org/grpc/reflection/grpc_reflection_v1alpha"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/rollcall-go/micro/internal/protomsg"
	"github.com/rollcall-go/micro/internal/rpc"
)

// registerReflection registers the reflection service in both of its versions, each
// unless the program brought one of its own.
func (s *grpcServer) registerReflection(g *grpc.Server) {
	listed := g.GetServiceInfo()
	for _, sv := range s.services {
		delete(listed, aliasOf(s.opts.Name, sv.desc))
	}
	for _, sv := range s.services {
		listed[sv.desc.ServiceName] = grpc.ServiceInfo{}
	}
	v1, v1alpha := &reflectionpb.ServerReflection_ServiceDesc, &alphapb.ServerReflection_ServiceDesc
	listed[v1.ServiceName], listed[v1alpha.ServiceName] = grpc.ServiceInfo{}, grpc.ServiceInfo{}
	o := reflection.ServerOptions{Services: listing{fixed: listed, server: s}}
	registerOwn(g, v1, reflection.NewServerV1(o))
	registerOwn(g, v1alpha, reflection.NewServer(o))
}

// listing is the services that reflection lists: those registered with grpc, and
// the handlers that are not internal.
type listing struct {
	fixed  map[string]grpc.ServiceInfo
	server *grpcServer
}

var _ reflection.ServiceInfoProvider = listing{}

// GetServiceInfo returns the names; nobody looks at the rest.
func (l listing) GetServiceInfo() map[string]grpc.ServiceInfo {
	out := make(map[string]grpc.ServiceInfo, len(l.fixed))
	for name := range l.fixed {
		out[name] = grpc.ServiceInfo{}
	}
	name, handlers := l.server.public()
	for _, h := range handlers {
		out[nameOf(name, h)] = grpc.ServiceInfo{}
	}
	return out
}

// nameOf returns the name that a handler can be called by and, if there is one,
// described by: that of the protobuf service which was generated together with
// its messages.
func nameOf(server string, h *rpc.Handler) string {
	for _, m := range h.Methods {
		if m.Stream {
			continue
		}
		call := m.NewCall()
		msg, ok := protomsg.Of(call.Target)
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
	return server + "." + h.Name
}

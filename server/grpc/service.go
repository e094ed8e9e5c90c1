package grpc

import (
	"fmt"
	"reflect"
	"strings"

	"google.golang.org/grpc"

	"github.com/rollcall-go/micro/logger"
)

// service is a service of a code generator for gRPC itself.
type service struct {
	desc *grpc.ServiceDesc
	impl any
}

// RegisterService registers a service by protoc-gen-go-grpc, under its own name
// and, for callers that go by the name of this server, under that as well:
// /demo.v1.Echo/Say is also /<server name>.Echo/Say. It is to be called before
// Start; what is wrong with the service, Start reports.
func (s *grpcServer) RegisterService(desc *grpc.ServiceDesc, impl any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.checkService(desc, impl); err != nil {
		if s.phase != idle {
			// The signature, which is grpc's, has no room for an error.
			logger.Errorf("Server [grpc] %v", err)
		}
		s.serviceErrs = append(s.serviceErrs, err)
		return
	}
	s.services = append(s.services, service{desc, impl})
}

// checkService looks for what grpc would end the process for.
func (s *grpcServer) checkService(desc *grpc.ServiceDesc, impl any) error {
	if s.phase != idle {
		return fmt.Errorf("register service %q: the server has been started; register before Start", desc.ServiceName)
	}
	for _, o := range s.services {
		if o.desc.ServiceName == desc.ServiceName {
			return fmt.Errorf("register service %q: it is registered already", desc.ServiceName)
		}
	}
	if impl == nil || desc.HandlerType == nil {
		return nil
	}
	if want := reflect.TypeOf(desc.HandlerType).Elem(); !reflect.TypeOf(impl).Implements(want) {
		return fmt.Errorf("register service %q: a %T is no %s", desc.ServiceName, impl, want)
	}
	return nil
}

// registerServices registers the program's services with g. The name of the server
// stands for a handler of the same name first, then for the first service.
func (s *grpcServer) registerServices(g *grpc.Server) {
	taken := make(map[string]bool)
	for _, h := range s.table.Handlers() {
		taken[s.opts.Name+"."+h.Name] = true
	}
	for _, sv := range s.services {
		g.RegisterService(sv.desc, sv.impl)
		taken[sv.desc.ServiceName] = true
	}
	for _, sv := range s.services {
		alias := *sv.desc
		alias.ServiceName = aliasOf(s.opts.Name, sv.desc)
		if !taken[alias.ServiceName] {
			g.RegisterService(&alias, sv.impl)
			taken[alias.ServiceName] = true
		}
	}
}

// aliasOf returns the name that clients use who go by the name of the server.
func aliasOf(serverName string, desc *grpc.ServiceDesc) string {
	return serverName + "." + desc.ServiceName[strings.LastIndexByte(desc.ServiceName, '.')+1:]
}

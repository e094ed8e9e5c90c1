package grpc

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"google.golang.org/grpc"

	"github.com/rollcall-go/micro/internal/rpc"
	"github.com/rollcall-go/micro/logger"
)

// service is a service of a code generator for gRPC itself.
type service struct {
	desc *grpc.ServiceDesc
	impl any
}

// RegisterService registers a service by protoc-gen-go-grpc, under its own name
// and, for callers that go by the name of this server, under that as well:
// /demo.v1.Echo/Say is also /<server name>.Echo/Say. The wrappers of
// server.WrapHandler surround its methods as they do those of handlers: a request
// has the endpoint Echo.Say and the message, the response is a pointer to what the
// method returns; of a stream the wrappers see the beginning and the end, and get it
// as a server.Stream in the place of the response. Where the implementation has no
// method of the generator's form, the response is a *any.
//
// It is to be called before Start; what is wrong with the service, Start reports.
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

// registerServices registers the program's services with g, and their methods with
// what surrounds them. The name of the server stands for a handler of the same name
// first, then for the first service.
func (s *grpcServer) registerServices(g *grpc.Server, i *interceptors) {
	taken := make(map[string]bool)
	for _, h := range s.table.Handlers() {
		taken[s.opts.Name+"."+h.Name] = true
	}
	for _, sv := range s.services {
		g.RegisterService(withoutHalfClose(sv.desc), sv.impl)
		i.addMethods(sv.desc, sv)
		taken[sv.desc.ServiceName] = true
	}
	for _, sv := range s.services {
		alias := *withoutHalfClose(sv.desc)
		alias.ServiceName = aliasOf(s.opts.Name, sv.desc)
		if !taken[alias.ServiceName] {
			g.RegisterService(&alias, sv.impl)
			i.addMethods(&alias, sv)
			taken[alias.ServiceName] = true
		}
	}
}

// withoutHalfClose returns desc with streams whose handler gets the one message that there
// is without waiting for the client to end its side: clients of v2, and code that its
// generator wrote, never end it. To grpc these are streams in both directions, which
// interceptors.stream takes back.
func withoutHalfClose(desc *grpc.ServiceDesc) *grpc.ServiceDesc {
	out := *desc
	out.Streams = slices.Clone(desc.Streams)
	for i := range out.Streams {
		out.Streams[i].ClientStreams = true
	}
	return &out
}

// addMethods notes the methods of a service under the paths that desc makes.
func (i *interceptors) addMethods(desc *grpc.ServiceDesc, sv service) {
	i.nilServices = i.nilServices || sv.impl == nil
	prefix, handler := "/"+desc.ServiceName+"/", shortName(sv.desc)+"."
	for _, m := range desc.Methods {
		i.methods[prefix+m.MethodName] = method{endpoint: handler + m.MethodName, response: sv.responseOf(m.MethodName)}
	}
	for _, m := range sv.desc.Streams { // as the program has them
		i.methods[prefix+m.StreamName] = method{endpoint: handler + m.StreamName, endless: endless(sv.desc), oneRequest: !m.ClientStreams}
	}
}

// responseOf returns what the response of a unary method points to, nil if the
// implementation has no such method in the form that the generator asks for.
func (sv service) responseOf(name string) reflect.Type {
	if sv.impl == nil {
		return nil
	}
	m := reflect.ValueOf(sv.impl).MethodByName(rpc.GoName(name))
	if !m.IsValid() || m.Type().NumOut() != 2 || m.Type().Out(0).Kind() != reflect.Pointer {
		return nil
	}
	return m.Type().Out(0).Elem()
}

// aliasOf returns the name that clients use who go by the name of the server.
func aliasOf(serverName string, desc *grpc.ServiceDesc) string {
	return serverName + "." + shortName(desc)
}

// shortName returns the name of a service without its package.
func shortName(desc *grpc.ServiceDesc) string {
	return desc.ServiceName[strings.LastIndexByte(desc.ServiceName, '.')+1:]
}

package grpc

import (
	"reflect"

	"github.com/rollcall-go/micro/internal/rpc"
	"github.com/rollcall-go/micro/registry"
)

// endpoints describes the methods of a service as they are registered. What the
// implementation does not tell of a method's messages is left out.
func (sv service) endpoints() []*registry.Endpoint {
	if endless(sv.desc) {
		return nil
	}
	var out []*registry.Endpoint
	prefix := shortName(sv.desc) + "."
	for _, m := range sv.desc.Methods {
		request, response := sv.messages(m.MethodName)
		out = append(out, rpc.DescribeTypes(prefix+m.MethodName, request, response, false))
	}
	for _, m := range sv.desc.Streams {
		request, response := sv.messages(m.StreamName)
		out = append(out, rpc.DescribeTypes(prefix+m.StreamName, request, response, true))
	}
	return out
}

// messages returns what a method is asked and what it answers, as protoc-gen-go-grpc
// gives methods their form: (ctx, request) (response, error), (request, stream) error or
// (stream) error.
func (sv service) messages(name string) (request, response reflect.Type) {
	if sv.impl == nil {
		return nil, nil
	}
	m := reflect.ValueOf(sv.impl).MethodByName(rpc.GoName(name))
	if !m.IsValid() {
		return nil, nil
	}
	t := m.Type()
	switch {
	case t.NumIn() == 2 && t.NumOut() == 2:
		return t.In(1), t.Out(0)
	case t.NumIn() == 2 && t.NumOut() == 1:
		return t.In(0), messageOf(t.In(1), "Send")
	case t.NumIn() == 1 && t.NumOut() == 1:
		request = messageOf(t.In(0), "Recv")
		if response = messageOf(t.In(0), "SendAndClose"); response == nil {
			response = messageOf(t.In(0), "Send")
		}
	}
	return request, response
}

// messageOf returns what a method of a stream, found by its name, sends or receives.
func messageOf(stream reflect.Type, method string) reflect.Type {
	m, ok := stream.MethodByName(method)
	switch {
	case !ok || stream.Kind() != reflect.Interface:
		return nil
	case m.Type.NumIn() == 1:
		return m.Type.In(0)
	case m.Type.NumIn() == 0 && m.Type.NumOut() == 2:
		return m.Type.Out(0)
	}
	return nil
}

package server

import "context"

// Method describes a method with one request and one response, so that a server can
// call it without reflection.
type Method struct {
	// Name is that in the .proto file, such as Hello or read_all. In Go it has the
	// name that the protobuf generators make of that.
	Name string
	// Idempotent says that the method may run twice. What is registered of it says so.
	Idempotent bool
	// New returns pointers to an empty request and an empty response.
	New func() (req, rsp any)
	// Call calls the method. It panics if req or rsp is of another type than New
	// returns.
	Call func(ctx context.Context, req, rsp any) error
}

// Methods are the descriptions of a handler's methods. Generated code embeds them in
// the value that it gives to NewHandler, in a field with an unexported name.
// They have no exported method: a Server that finds a handler's methods by
// reflection sees those of the program alone.
type Methods []Method

func (m Methods) methods() []Method { return m }

// MethodsOf returns the descriptions that v embeds, nil if there are none. It is for
// implementations of Server. Nobody may change what it returns.
func MethodsOf(v any) []Method {
	d, ok := v.(interface{ methods() []Method })
	if !ok {
		return nil
	}
	return d.methods()
}

package rpc

import (
	"context"
	"fmt"
	"go/token"
	"reflect"

	"github.com/rollcall-go/micro/server"
)

var (
	contextType = reflect.TypeFor[context.Context]()
	errorType   = reflect.TypeFor[error]()
	streamType  = reflect.TypeFor[server.Stream]()
)

// Method is one method of a handler that can be called from outside. It is not
// changed once made.
type Method struct {
	// Name is the name in Go, such as Hello.
	Name string
	// Endpoint is the name with the handler's, such as Greeter.Hello.
	Endpoint string
	// Stream tells that the method converses, instead of answering one request.
	Stream bool

	fn       reflect.Value // bound to the handler
	request  reflect.Type  // as the method takes it
	response reflect.Type  // what the response points to; nil for a stream
}

// newMethod returns the method, or the reason why it cannot be called.
func newMethod(handler string, rcvr reflect.Value, m reflect.Method) (*Method, error) {
	t := m.Type // its first argument is the receiver
	if t.NumIn() != 3 && t.NumIn() != 4 {
		return nil, fmt.Errorf("it takes %d arguments, not (ctx, request, response) or (ctx, stream)", t.NumIn()-1)
	}
	if t.In(1) != contextType {
		return nil, fmt.Errorf("its first argument is a %s, not a context.Context", t.In(1))
	}
	if t.NumOut() != 1 || t.Out(0) != errorType {
		return nil, fmt.Errorf("it does not return exactly one error")
	}
	out := &Method{Name: m.Name, Endpoint: handler + "." + m.Name, fn: rcvr.Method(m.Index), request: t.In(2)}
	if t.NumIn() == 3 {
		if !t.In(2).Implements(streamType) {
			return nil, fmt.Errorf("it takes no response, and %s is no server.Stream", t.In(2))
		}
		if !streamType.AssignableTo(t.In(2)) {
			return nil, fmt.Errorf("its stream, %s, has more than a server.Stream; take that", t.In(2))
		}
		out.Stream = true
		return out, nil
	}
	switch rsp := t.In(3); {
	case !exported(t.In(2)):
		return nil, fmt.Errorf("its request, %s, is not exported", t.In(2))
	case rsp.Kind() != reflect.Pointer:
		return nil, fmt.Errorf("its response, %s, is not a pointer", rsp)
	case !exported(rsp):
		return nil, fmt.Errorf("its response, %s, is not exported", rsp)
	default:
		out.response = rsp.Elem()
	}
	return out, nil
}

// exported reports whether a type, or what it points to, is exported or built in. A
// pointer type with a name, which may point to itself, counts by that.
func exported(t reflect.Type) bool {
	for t.Kind() == reflect.Pointer && t.Name() == "" {
		t = t.Elem()
	}
	return t.PkgPath() == "" || token.IsExported(t.Name())
}

// Call is one call of a Method that is no stream. It is used by one goroutine at
// a time.
type Call struct {
	method *Method
	target reflect.Value // a pointer to the request to be filled in
	// Response is a pointer to the method's response, empty until Invoke.
	Response any
}

// NewCall returns a call with an empty request and an empty response.
func (m *Method) NewCall() Call {
	t := m.request
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return Call{method: m, target: reflect.New(t), Response: reflect.New(m.response).Interface()}
}

// Target is the pointer to decode the request into.
func (c *Call) Target() any { return c.target.Interface() }

// Request is the request as the method takes it: Target, or what it points to.
func (c *Call) Request() any { return c.arg().Interface() }

func (c *Call) arg() reflect.Value {
	if c.method.request.Kind() == reflect.Pointer {
		return c.target
	}
	return c.target.Elem()
}

// Invoke calls the method with the request and with a response of its type, which
// need not be Response. It panics if rsp is of another type, or if the method
// does.
func (c *Call) Invoke(ctx context.Context, rsp any) error {
	out := c.method.fn.Call([]reflect.Value{reflect.ValueOf(ctx), c.arg(), reflect.ValueOf(rsp)})
	err, _ := out[0].Interface().(error)
	return err
}

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

	described *server.Method // calls it without reflection; nil if nobody described it
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

// callBy lets the method be called by its description from now on.
func (m *Method) callBy(d *server.Method) error {
	if d.New == nil || d.Call == nil {
		return fmt.Errorf("read the description of method %q: New or Call is nil", d.Name)
	}
	req, rsp := d.New()
	if got, want := reflect.TypeOf(req), m.request; got != want {
		return fmt.Errorf("read the description of method %q: its request is a %v, that of the method a %v", d.Name, got, want)
	}
	if got, want := reflect.TypeOf(rsp), reflect.PointerTo(m.response); got != want {
		return fmt.Errorf("read the description of method %q: its response is a %v, that of the method a %v", d.Name, got, want)
	}
	m.described = d
	return nil
}

// Call is one call of a Method that is no stream. It is used by one goroutine at
// a time.
type Call struct {
	method *Method
	// Target is the pointer to decode the request into.
	Target any
	// Response is a pointer to the method's response, empty until Invoke.
	Response any
}

// NewCall returns a call with an empty request and an empty response.
func (m *Method) NewCall() Call {
	if m.described != nil {
		req, rsp := m.described.New()
		return Call{m, req, rsp}
	}
	t := m.request
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return Call{m, reflect.New(t).Interface(), reflect.New(m.response).Interface()}
}

// Request is the request as the method takes it: Target, or what it points to.
func (c *Call) Request() any {
	if c.method.request.Kind() == reflect.Pointer {
		return c.Target
	}
	return reflect.ValueOf(c.Target).Elem().Interface()
}

// Invoke calls the method with the request and with a response of its type, which
// need not be Response. It panics if rsp is of another type, or if the method
// does.
func (c *Call) Invoke(ctx context.Context, rsp any) error {
	if d := c.method.described; d != nil {
		return d.Call(ctx, c.Target, rsp)
	}
	req := reflect.ValueOf(c.Target)
	if c.method.request.Kind() != reflect.Pointer {
		req = req.Elem()
	}
	out := c.method.fn.Call([]reflect.Value{reflect.ValueOf(ctx), req, reflect.ValueOf(rsp)})
	err, _ := out[0].Interface().(error)
	return err
}

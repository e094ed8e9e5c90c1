package rpc

import (
	"context"
	"fmt"
	"reflect"

	"github.com/rollcall-go/micro/registry"
)

// Function is a function that takes the messages of a topic: one of its own, or a
// method of a value. It is not changed once made.
type Function struct {
	// Endpoint is its name in the registry: Func, or that of a method with its type's,
	// such as Mail.Welcome.
	Endpoint string

	fn      reflect.Value // bound to the value
	message reflect.Type  // as the function takes it
}

// subscriberForm is what a function has to look like, as errors say it.
const subscriberForm = "func(context.Context, *T) error"

// NewFunctions returns v itself, if it is a function, or else all of its exported
// methods, which have to be of the same form: a method that is not is an error, as
// in v2.
func NewFunctions(v any) ([]*Function, error) {
	rcvr := reflect.ValueOf(v)
	switch {
	case !rcvr.IsValid():
		return nil, fmt.Errorf("make a subscriber of nil: give it a %s, or a value whose methods are of that form", subscriberForm)
	case rcvr.Kind() == reflect.Func && rcvr.IsNil(), rcvr.Kind() == reflect.Pointer && rcvr.IsNil():
		return nil, fmt.Errorf("make a subscriber of a %T: it is nil", v)
	case rcvr.Kind() == reflect.Func:
		f, err := newFunction("Func", rcvr)
		if err != nil {
			return nil, fmt.Errorf("make a subscriber of a %T: %w", v, err)
		}
		return []*Function{f}, nil
	}
	var all []*Function
	for i := range rcvr.NumMethod() {
		name := rcvr.Type().Method(i).Name
		f, err := newFunction(TypeName(v)+"."+name, rcvr.Method(i))
		if err != nil {
			return nil, fmt.Errorf("make a subscriber of a %T: method %s: %w", v, name, err)
		}
		all = append(all, f)
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("make a subscriber of a %T: it has no exported methods; give it a %s, or a value whose methods are of that form", v, subscriberForm)
	}
	return all, nil
}

// newFunction returns the function, or what its form should be.
func newFunction(endpoint string, fn reflect.Value) (*Function, error) {
	t := fn.Type()
	switch {
	case t.NumIn() != 2 || t.IsVariadic():
		return nil, fmt.Errorf("it is a %s, not a %s", t, subscriberForm)
	case t.In(0) != contextType:
		return nil, fmt.Errorf("its first argument is a %s, not a context.Context", t.In(0))
	case !exported(t.In(1)):
		return nil, fmt.Errorf("its message, %s, is not exported", t.In(1))
	case t.NumOut() != 1 || t.Out(0) != errorType:
		return nil, fmt.Errorf("it does not return exactly one error; it has to be a %s", subscriberForm)
	}
	return &Function{Endpoint: endpoint, fn: fn, message: t.In(1)}, nil
}

// Describe returns the function as it stands in the registry. The description belongs
// to the caller.
func (f *Function) Describe(topic string) *registry.Endpoint {
	return &registry.Endpoint{
		Name: f.Endpoint, Request: describe(f.message, 0),
		Metadata: map[string]string{"topic": topic, "subscriber": "true"},
	}
}

// Target returns a pointer to decode a message into.
func (f *Function) Target() any {
	t := f.message
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return reflect.New(t).Interface()
}

// Message returns the message as the function takes it: target, which Target made, or
// what it points to.
func (f *Function) Message(target any) any {
	if f.message.Kind() == reflect.Pointer {
		return target
	}
	return reflect.ValueOf(target).Elem().Interface()
}

// Invoke calls the function with a message, which need not be one of Message. It
// panics if the function does.
func (f *Function) Invoke(ctx context.Context, message any) error {
	arg := reflect.ValueOf(message)
	switch {
	case !arg.IsValid():
		arg = reflect.Zero(f.message)
	case !arg.Type().AssignableTo(f.message):
		return fmt.Errorf("call %s: a wrapper replaced the message by a %T, and it takes a %s", f.Endpoint, message, f.message)
	}
	out := f.fn.Call([]reflect.Value{reflect.ValueOf(ctx), arg})
	err, _ := out[0].Interface().(error)
	return err
}

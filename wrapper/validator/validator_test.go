package validator_test

import (
	"context"
	stderrors "errors"
	"fmt"
	"testing"

	"github.com/rollcall-go/micro/client"
	"github.com/rollcall-go/micro/errors"
	"github.com/rollcall-go/micro/internal/testkit/stub"
	"github.com/rollcall-go/micro/server"
	"github.com/rollcall-go/micro/wrapper/validator"
)

var errEmpty = stderrors.New("name: is 100% empty")

type message struct{ name string }

func (m *message) Validate() error {
	if m.name == "" {
		return errEmpty
	}
	return nil
}

func TestMessagesThatAreNotValid(t *testing.T) {
	var reached bool
	handler := validator.NewHandlerWrapper()(func(context.Context, server.Request, any) error { reached = true; return nil })
	subscriber := validator.NewSubscriberWrapper()(func(context.Context, server.Message) error { reached = true; return nil })
	c := validator.NewClientWrapper()(&stub.Client{OnCall: func(context.Context, client.Request, client.CallOptions) error { reached = true; return nil }})
	for name, f := range map[string]func(v any) error{
		"handler": func(v any) error {
			return handler(t.Context(), &stub.Served{Name: "greeter", Value: v}, nil)
		},
		"subscriber": func(v any) error { return subscriber(t.Context(), &stub.Published{On: "greeter", Value: v}) },
		"client":     func(v any) error { return c.Call(t.Context(), &stub.Request{Name: "greeter", Value: v}, nil) },
	} {
		reached = false
		err := f(&message{})
		e := errors.FromError(err)
		if reached || e.GetCode() != 400 || e.Id != "greeter" || e.Detail != errEmpty.Error() || !stderrors.Is(err, errEmpty) {
			t.Errorf("%s: reached %t, %v", name, reached, err)
		}
		for _, v := range []any{&message{name: "x"}, "no Validator", nil} {
			reached = false
			if err := f(v); err != nil || !reached {
				t.Errorf("%s: %v: reached %t, %v", name, v, reached, err)
			}
		}
	}
}

// names is a stream of messages.
type names struct {
	server.Stream
	next []string
}

func (s *names) Recv(v any) error {
	v.(*message).name, s.next = s.next[0], s.next[1:]
	return nil
}

func TestMessagesOfAStream(t *testing.T) {
	handler := validator.NewHandlerWrapper()(func(_ context.Context, _ server.Request, rsp any) error {
		s := rsp.(server.Stream)
		for range 2 {
			if err := s.Recv(new(message)); err != nil {
				return err
			}
		}
		return nil
	})
	req := &stub.Served{Name: "greeter", IsStream: true}
	if err := handler(t.Context(), req, &names{next: []string{"a", "b"}}); err != nil {
		t.Error(err)
	}
	if err := handler(t.Context(), req, &names{next: []string{"a", ""}}); errors.FromError(err).GetCode() != 400 {
		t.Errorf("the second is not valid: %v", err)
	}
}

func ExampleNewHandlerWrapper() {
	// micro.NewService(micro.WrapHandler(validator.NewHandlerWrapper())) does so for a service.
	handler := validator.NewHandlerWrapper()(func(context.Context, server.Request, any) error { return nil })
	err := handler(context.Background(), &stub.Served{Name: "greeter", Path: "Greeter.Hello", Value: &message{}}, nil)
	fmt.Println(err)
	// Output: {"id":"greeter","code":400,"detail":"name: is 100% empty","status":"Bad Request"}
}

package fleet

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/rollcall-go/micro"
	"github.com/rollcall-go/micro/client"
	cgrpc "github.com/rollcall-go/micro/client/grpc"
	"github.com/rollcall-go/micro/registry"
	sgrpc "github.com/rollcall-go/micro/server/grpc"
)

// Client returns the client of a service that is not run. It is closed with the
// test.
func Client(t testing.TB, r registry.Registry, opts ...micro.Option) client.Client {
	t.Helper()
	c := cgrpc.NewClient()
	t.Cleanup(func() { Close(t, c) })
	return micro.NewService(append([]micro.Option{
		micro.Name("caller"), micro.Registry(r), micro.Client(c), micro.Server(sgrpc.NewServer()),
	}, opts...)...).Client()
}

// Call calls a method of the Echo of a service and returns the text of the answer.
// A method of another handler has its name before it, "Handler.Method".
func Call(ctx context.Context, c client.Client, service, method, text string, opts ...client.CallOption) (string, error) {
	if !strings.Contains(method, ".") {
		method = "Echo." + method
	}
	var rsp Text
	err := c.Call(ctx, c.NewRequest(service, method, &Text{text}, client.WithContentType("application/json")), &rsp, opts...)
	return rsp.Text, err
}

// Say calls Echo.Say of a service with a text of its own. An answer to another
// text is an error.
func Say(ctx context.Context, c client.Client, service string, opts ...client.CallOption) error {
	text := uuid.NewString()
	got, err := Call(ctx, c, service, "Say", text, opts...)
	if err == nil && got != text {
		err = fmt.Errorf("asked %q, answered %q", text, got)
	}
	return err
}

// MustSay is Say that fails the test.
func MustSay(t testing.TB, c client.Client, service string, opts ...client.CallOption) {
	t.Helper()
	if err := Say(t.Context(), c, service, opts...); err != nil {
		t.Fatalf("call %s: %v", service, err)
	}
}

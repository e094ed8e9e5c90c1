package endpoint_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/rollcall-go/micro/client"
	"github.com/rollcall-go/micro/internal/testkit/stub"
	"github.com/rollcall-go/micro/server"
	"github.com/rollcall-go/micro/wrapper/endpoint"
)

func TestSomeEndpointsAreWrapped(t *testing.T) {
	made, wrapped := 0, map[string]int{}
	note := func(c client.Client) client.Client {
		made++
		return &stub.Client{
			OnCall: func(_ context.Context, req client.Request, _ client.CallOptions) error {
				wrapped[req.Endpoint()]++
				return nil
			},
			OnStream: func(_ context.Context, req client.Request, _ client.CallOptions) (client.Stream, error) {
				wrapped[req.Endpoint()]++
				return nil, nil
			},
		}
	}
	c := endpoint.NewClientWrapper(note, "A.B", "A.C")(&stub.Client{})
	for _, name := range []string{"A.B", "A.C", "A.D"} {
		_ = c.Call(t.Context(), &stub.Request{Path: name}, nil)
		_, _ = c.Stream(t.Context(), &stub.Request{Path: name})
	}
	if made != 1 || fmt.Sprint(wrapped) != "map[A.B:2 A.C:2]" {
		t.Errorf("made %d times, wrapped %v", made, wrapped)
	}
}

func ExampleNewHandlerWrapper() {
	log := func(next server.HandlerFunc) server.HandlerFunc {
		return func(ctx context.Context, req server.Request, rsp any) error {
			fmt.Println("serve", req.Endpoint())
			return next(ctx, req, rsp)
		}
	}
	handler := endpoint.NewHandlerWrapper(log, "Greeter.Hello")(func(context.Context, server.Request, any) error { return nil })
	for _, name := range []string{"Greeter.Hello", "Greeter.Bye"} {
		_ = handler(context.Background(), &stub.Served{Path: name}, nil)
	}
	// Output: serve Greeter.Hello
}

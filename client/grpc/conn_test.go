package grpc

import (
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/rollcall-go/micro/client"
)

func TestConn(t *testing.T) {
	n := serve(t, echo)
	c := newClient(t, client.Registry(register(t, service("echo", n))), client.ContentType("application/json"))
	cc := Conn(c, "echo")
	var rsp wrapperspb.StringValue
	if err := cc.Invoke(t.Context(), "/some.Echo/Say", wrapperspb.String("x"), &rsp); err != nil || rsp.Value != "x" {
		t.Errorf("got %q, %v", rsp.Value, err)
	}
	if err := cc.Invoke(t.Context(), "/some.Echo/Say", wrapperspb.String("404"), &rsp); status.Code(err) != codes.NotFound {
		t.Errorf("got %v", err)
	}
	if err := Conn(c, "nobody").Invoke(t.Context(), "/some.Echo/Say", wrapperspb.String("x"), &rsp); status.Code(err) != codes.Unavailable {
		t.Errorf("got %v", err)
	}
}

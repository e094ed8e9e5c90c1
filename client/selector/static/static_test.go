package static_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"

	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/rollcall-go/micro/client"
	cgrpc "github.com/rollcall-go/micro/client/grpc"
	"github.com/rollcall-go/micro/client/selector"
	"github.com/rollcall-go/micro/client/selector/static"
	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/registry/memory"
	"github.com/rollcall-go/micro/server"
	sgrpc "github.com/rollcall-go/micro/server/grpc"
)

func TestMain(m *testing.M) { testkit.Main(m) }

type Greeter struct{}

func (Greeter) Hello(_ context.Context, in, out *wrapperspb.StringValue) error {
	out.Value = "Hello, " + in.Value
	return nil
}

// TestAServiceIsCalledByItsAddress has a client with no registry to ask.
func TestAServiceIsCalledByItsAddress(t *testing.T) {
	r := memory.NewRegistry()
	s := sgrpc.NewServer(server.Name("greeter"), server.Address("127.0.0.1:0"), server.Registry(r), sgrpc.DeregisterDelay(0))
	if err := s.Handle(s.NewHandler(Greeter{})); err != nil {
		t.Fatal(err)
	}
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Stop() })
	c := cgrpc.NewClient(client.Selector(static.NewSelector()))
	defer c.(io.Closer).Close()
	out := new(wrapperspb.StringValue)
	if err := c.Call(t.Context(), c.NewRequest(s.Options().Address, "Greeter.Hello", wrapperspb.String("John")), out); err != nil || out.Value != "Hello, John" {
		t.Errorf("%q, %v", out.Value, err)
	}
}

func TestSelector(t *testing.T) {
	r := memory.NewRegistry()
	s := static.NewSelector(selector.Registry(r))
	if s.Options().Registry != r || s.String() != "static" || s.Close() != nil {
		t.Errorf("%s with %+v", s, s.Options())
	}
	if _, err := s.Select(""); !errors.Is(err, selector.ErrNotFound) {
		t.Errorf("no name: %v", err)
	}
	s.Mark("x", nil, nil)
	s.Reset("x")
}

func ExampleNewSelector() {
	next, _ := static.NewSelector().Select("greeter.default.svc:8080")
	node, _ := next()
	fmt.Println(node.Address)
	// Output: greeter.default.svc:8080
}

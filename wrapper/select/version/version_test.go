package version

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/rollcall-go/micro/client"
	cgrpc "github.com/rollcall-go/micro/client/grpc"
	"github.com/rollcall-go/micro/registry"
	"github.com/rollcall-go/micro/registry/memory"
)

func TestOrder(t *testing.T) {
	want := []string{"", "1", "1.0", "1.00", "1.2", "1.9", "1.10", "1.10.1", "1.10.1-rc2", "1.10.1-rc10", "2", "10", "latest", "v1", "v2"}
	for range 20 {
		got := slices.Clone(want)
		slices.Reverse(got)
		slices.SortFunc(got, compare)
		if !slices.Equal(got, want) {
			t.Fatalf("sorted %q", got)
		}
	}
	for _, a := range want {
		for _, b := range want {
			if (compare(a, b) == 0) != (a == b) || compare(a, b) != -compare(b, a) {
				t.Errorf("%q and %q: %d, %d", a, b, compare(a, b), compare(b, a))
			}
		}
	}
}

func ExampleNewClientWrapper() {
	r := memory.NewRegistry()
	for i, version := range strings.Fields("1.9 1.10 1.10") {
		_ = r.Register(&registry.Service{Name: "greeter", Version: version, Nodes: []*registry.Node{{Id: fmt.Sprint("greeter-", i), Address: fmt.Sprint("127.0.0.1:", 1+i)}}})
	}
	chosen := map[string]bool{}
	count := func(client.CallFunc) client.CallFunc {
		return func(_ context.Context, node *registry.Node, _ client.Request, _ any, _ client.CallOptions) error {
			chosen[node.Id] = true
			return nil
		}
	}
	c := cgrpc.NewClient(client.Registry(r), client.WrapCall(count), client.Wrap(NewClientWrapper()))
	defer c.(io.Closer).Close()
	for range 100 {
		_ = c.Call(context.Background(), c.NewRequest("greeter", "Greeter.Hello", nil), new(struct{}))
	}
	fmt.Println(chosen)
	// Output: map[greeter-1:true greeter-2:true]
}

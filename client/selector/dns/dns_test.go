package dns

import (
	"context"
	"errors"
	"fmt"
	"net"
	"testing"

	"github.com/rollcall-go/micro/client/selector"
	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/registry"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// zone answers as a server of DNS would.
type zone struct{}

var errNoName = errors.New("no such host")

func (zone) LookupSRV(_ context.Context, service, proto, name string) (string, []*net.SRV, error) {
	if service != "greeter" || proto != "tcp" || name != "local" {
		return "", nil, errNoName
	}
	return "", []*net.SRV{{Target: "a.local.", Port: 80}, {Target: "b.local.", Port: 81}}, nil
}

func (zone) LookupHost(_ context.Context, host string) ([]string, error) {
	if host != "greeter" {
		return nil, errNoName
	}
	return []string{"10.0.0.1", "fd00::1"}, nil
}

func newSelector(opts ...selector.Option) selector.Selector {
	s := NewSelector(opts...).(*dns)
	s.resolve = zone{}
	return s
}

func TestNodesOfDNS(t *testing.T) {
	for service, want := range map[string]string{
		"greeter":    "[a.local:80 b.local:81]",
		"greeter:90": "[10.0.0.1:90 [fd00::1]:90]",
	} {
		var got []string
		note := selector.WithFilter(func(services []*registry.Service) []*registry.Service {
			for _, n := range services[0].Nodes {
				got = append(got, n.Address)
			}
			return services
		})
		next, err := newSelector().Select(service, note)
		if err != nil {
			t.Fatal(err)
		}
		if node, err := next(); err != nil || fmt.Sprint(got) != want || node.Id != node.Address {
			t.Errorf("%s: %v of %v, %v", service, node, got, err)
		}
	}
}

func TestWhatIsNotThere(t *testing.T) {
	for _, service := range []string{"shop", "shop:80", ""} {
		if _, err := newSelector().Select(service); !errors.Is(err, selector.ErrNotFound) || !errors.Is(err, errNoName) {
			t.Errorf("%q: %v", service, err)
		}
	}
	none := selector.WithFilter(func([]*registry.Service) []*registry.Service { return nil })
	if _, err := newSelector().Select("greeter", none); !errors.Is(err, selector.ErrNoneAvailable) {
		t.Errorf("all filtered: %v", err)
	}
	first := func(services []*registry.Service) selector.Next {
		return func() (*registry.Node, error) { return services[0].Nodes[0], nil }
	}
	next, err := newSelector(selector.SetStrategy(first)).Select("greeter")
	if err != nil {
		t.Fatal(err)
	}
	if node, _ := next(); node.Address != "a.local:80" {
		t.Errorf("by the program's strategy: %s", node.Address)
	}
}

func ExampleNewSelector() {
	// client.NewClient(client.Selector(dns.NewSelector())) calls localhost:8080 at its addresses.
	s := NewSelector(selector.SetStrategy(selector.RoundRobin))
	fmt.Println(s.String(), DefaultDomain)
	// Output: dns local
}

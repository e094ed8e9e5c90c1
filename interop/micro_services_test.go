package interop_test

import (
	"context"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/rollcall-go/micro"
	"github.com/rollcall-go/micro/client"
	api "github.com/rollcall-go/micro/compat/api/proto"
	"github.com/rollcall-go/micro/errors"
	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/registry"
	"github.com/rollcall-go/micro/registry/etcd"
	"github.com/rollcall-go/micro/server"
	sgrpc "github.com/rollcall-go/micro/server/grpc"
)

// Welcome is a handler as the rpc handler of the gateway calls it.
type Welcome struct{}

// WelcomeRequest and WelcomeReply travel as JSON.
type (
	WelcomeRequest struct {
		Name string `json:"name"`
	}
	WelcomeReply struct {
		Greeting string `json:"greeting"`
	}
)

// Hello greets, but for a request without a name.
func (*Welcome) Hello(_ context.Context, in *WelcomeRequest, out *WelcomeReply) error {
	if in.Name == "" {
		return errors.BadRequest("go.micro.api.welcome", "say a name")
	}
	out.Greeting = "Hello " + in.Name
	return nil
}

// Page is a handler as the api handler of the gateway calls it: with the HTTP request.
type Page struct{}

// Show answers with what it was asked.
func (*Page) Show(_ context.Context, in *api.Request, out *api.Response) error {
	name, ok := in.Get["name"]
	if !ok || len(name.Values) == 0 {
		return errors.BadRequest("go.micro.api.page", "say a name")
	}
	out.StatusCode = http.StatusTeapot
	out.Header = map[string]*api.Pair{"X-Page": {Key: "X-Page", Values: []string{in.Method}}}
	out.Body = in.Path + " for " + name.Values[0] + " with " + in.Body
	return nil
}

// services starts services of ours in the test, with the etcd at an address as their
// registry, and returns what starts one.
func services(t *testing.T, address string) (add func(name string, handlers ...any) micro.Service) {
	t.Helper()
	r := etcd.NewRegistry(registry.Addrs(address))
	t.Cleanup(func() { closePart(t, r) })
	ctx, cancel := context.WithCancel(context.Background()) // until the test ends
	var running sync.WaitGroup
	t.Cleanup(func() {
		cancel()
		running.Wait()
	})
	return func(name string, handlers ...any) micro.Service {
		t.Helper()
		c := client.NewClient()
		s := micro.NewService(micro.Name(name), micro.Registry(r), micro.Address("127.0.0.1:0"), micro.HandleSignal(false), micro.Context(ctx),
			micro.Client(c), micro.Server(sgrpc.NewServer(server.Id("one"), sgrpc.DeregisterDelay(0))))
		for _, h := range handlers {
			if sub, ok := h.(subscription); ok {
				if err := micro.RegisterSubscriber(sub.topic, s.Server(), sub.handler); err != nil {
					t.Fatal(err)
				}
				continue
			}
			if err := micro.RegisterHandler(s.Server(), h); err != nil {
				t.Fatal(err)
			}
		}
		running.Go(func() {
			if err := s.Run(); err != nil {
				t.Errorf("run %s: %v", name, err)
			}
			closePart(t, c)
		})
		testkit.Eventually(t, 10*time.Second, name+" is registered", func() bool {
			got, err := r.GetService(name)
			return err == nil && len(got) > 0
		})
		return s
	}
}

// subscription is a handler of events, among those of a service.
type subscription struct {
	topic   string
	handler any
}

// closePart closes a part that can be closed.
func closePart(t *testing.T, part any) {
	if c, ok := part.(interface{ Close() error }); ok {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	}
}

package http

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/rollcall-go/micro/client"
	"github.com/rollcall-go/micro/registry"
	"github.com/rollcall-go/micro/registry/memory"
)

const name = "go.micro.web.test"

// newMemory returns a registry of its own.
func newMemory(t *testing.T) registry.Registry {
	t.Helper()
	r := memory.NewRegistry()
	if c, ok := r.(io.Closer); ok {
		t.Cleanup(func() { _ = c.Close() })
	}
	return r
}

// serve begins a node that is registered with the metadata.
func serve(t *testing.T, r registry.Registry, h http.HandlerFunc, md map[string]string) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	register(t, r, s.Listener.Addr().String(), md)
	return s
}

func register(t *testing.T, r registry.Registry, address string, md map[string]string) *registry.Service {
	t.Helper()
	s := &registry.Service{Name: name, Version: "latest", Nodes: []*registry.Node{{Id: "node-" + address, Address: address, Metadata: md}}}
	if err := r.Register(s); err != nil {
		t.Fatal(err)
	}
	return s
}

func newRoundTripper(t *testing.T, r registry.Registry, opts ...client.Option) *RoundTripper {
	t.Helper()
	rt := NewRoundTripper(append([]client.Option{client.Registry(r)}, opts...)...)
	t.Cleanup(func() {
		if err := rt.Close(); err != nil {
			t.Error(err)
		}
	})
	return rt
}

// whoami answers with the address of the node.
func whoami(w http.ResponseWriter, req *http.Request) {
	fmt.Fprint(w, req.Context().Value(http.LocalAddrContextKey).(net.Addr))
}

// ask makes a request to a path of the service, and returns the body of the answer.
func ask(t *testing.T, rt http.RoundTripper, method string, body io.Reader) (string, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, "http://"+name+"/path", body)
	if err != nil {
		t.Fatal(err)
	}
	rsp, err := rt.RoundTrip(req)
	if err != nil {
		return "", err
	}
	defer rsp.Body.Close()
	text, err := io.ReadAll(rsp.Body)
	return string(text), err
}

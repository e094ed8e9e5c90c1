package web

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/rollcall-go/micro/registry"
	"github.com/rollcall-go/micro/registry/memory"
)

// life is what NewService returns, whole.
type life interface {
	Service
	Start() error
	Stop() error
	Ready() error
	Stats() map[string]uint64
}

// newTest returns a service on a free port of the loopback that is stopped at the end.
func newTest(t *testing.T, r registry.Registry, opts ...Option) life {
	t.Helper()
	all := append([]Option{Name("go.micro.web.test"), Registry(r), Address("127.0.0.1:0"), DeregisterDelay(0), HandleSignal(false), StaticDir("")}, opts...)
	s := NewService(all...).(life)
	t.Cleanup(func() {
		if err := s.Stop(); err != nil {
			t.Errorf("stop: %v", err)
		}
		_ = s.(*service).close() // of one that never started
	})
	return s
}

func start(t *testing.T, s life) {
	t.Helper()
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
}

func hello(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "hello") }

// newMemory returns a registry of its own.
func newMemory(t *testing.T) registry.Registry {
	t.Helper()
	r := memory.NewRegistry()
	if c, ok := r.(io.Closer); ok {
		t.Cleanup(func() { _ = c.Close() })
	}
	return r
}

// get returns the status and the body of an answer.
func get(t *testing.T, c *http.Client, url string) (int, string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	rsp, err := c.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer rsp.Body.Close()
	body, err := io.ReadAll(rsp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return rsp.StatusCode, string(body)
}

// plain is a client whose connections end with the test.
func plain(t *testing.T) *http.Client {
	t.Helper()
	tr := &http.Transport{}
	t.Cleanup(tr.CloseIdleConnections)
	return &http.Client{Transport: tr}
}

// node returns the one node of the service.
func node(t *testing.T, r registry.Registry, name string) (*registry.Service, *registry.Node) {
	t.Helper()
	services, err := r.GetService(name)
	if err != nil || len(services) != 1 || len(services[0].Nodes) != 1 {
		t.Fatalf("registered are %v, %v", services, err)
	}
	return services[0], services[0].Nodes[0]
}

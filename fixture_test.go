package micro

import (
	"context"
	"errors"
	"io"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/rollcall-go/micro/client"
	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/metadata"
	"github.com/rollcall-go/micro/registry"
	"github.com/rollcall-go/micro/registry/memory"
	"github.com/rollcall-go/micro/server"
	sgrpc "github.com/rollcall-go/micro/server/grpc"
)

// Text is what the tests send and receive.
type Text struct{ Text string }

// Echo answers with the text it gets.
type Echo struct {
	mu    sync.Mutex
	from  []string // the senders of the requests
	then  func(ctx context.Context) error
	wrong error
}

func (e *Echo) Say(ctx context.Context, req, rsp *Text) error {
	from, _ := metadata.Get(ctx, "Micro-From-Service")
	e.mu.Lock()
	e.from = append(e.from, from)
	e.mu.Unlock()
	rsp.Text = req.Text
	if e.then != nil {
		return e.then(ctx)
	}
	return e.wrong
}

func (e *Echo) senders() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return append([]string(nil), e.from...)
}

// recorder collects what happens, in order.
type recorder struct {
	mu    sync.Mutex
	lines []string
}

func (r *recorder) add(line string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lines = append(r.lines, line)
}

func (r *recorder) take() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	lines := r.lines
	r.lines = nil
	return lines
}

// newNode returns a service with parts of its own in the registry, which serves e
// if that is not nil. Its client is closed at the end of the test.
func newNode(t *testing.T, name string, r registry.Registry, e *Echo, opts ...Option) *service {
	t.Helper()
	c := client.NewClient()
	s := newService(append([]Option{
		Name(name), Registry(r), Address("127.0.0.1:0"), HandleSignal(false), Client(c),
		Server(sgrpc.NewServer(server.Id(uuid.NewString()), sgrpc.DeregisterDelay(0))),
	}, opts...)...)
	t.Cleanup(func() { closeAll(t, c) })
	if e != nil {
		if err := RegisterHandler(s.Server(), e); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

func closeAll(t *testing.T, parts ...any) {
	t.Helper()
	for _, p := range parts {
		if c, ok := p.(io.Closer); ok {
			if err := c.Close(); err != nil {
				t.Error(err)
			}
		}
	}
}

func newMemory(t *testing.T) registry.Registry {
	r := memory.NewRegistry()
	t.Cleanup(func() { closeAll(t, r) })
	return r
}

// run runs the service until the test ends or stop is called, which returns what
// Run did.
func run(t *testing.T, s *service) (stop func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	s.opts.Context = ctx
	done := make(chan error, 1)
	go func() { done <- s.Run() }()
	testkit.Eventually(t, 10*time.Second, s.Name()+" is registered", func() bool {
		got, err := s.Options().Registry.GetService(s.Name())
		return err == nil && len(got) > 0
	})
	stop = sync.OnceValue(func() error {
		cancel()
		return <-done
	})
	t.Cleanup(func() {
		if err := stop(); err != nil && !errors.Is(err, context.Canceled) {
			t.Errorf("run %s: %v", s.Name(), err)
		}
	})
	return stop
}

// say calls Echo.Say of a service.
func say(ctx context.Context, c client.Client, service, text string, opts ...client.CallOption) (string, error) {
	var rsp Text
	req := c.NewRequest(service, "Echo.Say", &Text{text}, client.WithContentType("application/json"))
	err := c.Call(ctx, req, &rsp, opts...)
	return rsp.Text, err
}

package server_test

import (
	"os"
	"strings"
	"testing"

	"github.com/rollcall-go/micro/internal/defaults"
	"github.com/rollcall-go/micro/server"
)

// fake is what the hook constructs in these tests.
type fake struct {
	server.Server
	opts    server.Options
	onStart func() error
	stopped bool
}

func (f *fake) Options() server.Options { return f.opts }
func (f *fake) String() string          { return "fake" }
func (f *fake) Start() error            { return f.onStart() }
func (f *fake) Stop() error             { f.stopped = true; return nil }

type Greeter struct{}

func TestWithoutAnImplementation(t *testing.T) {
	s := server.NewServer(server.Name("greeter"))
	h := s.NewHandler(&Greeter{}, server.InternalHandler(true))
	sub := s.NewSubscriber("topic", func() {}, server.SubscriberQueue("q"))

	if h.Name() != "Greeter" || !h.Options().Internal || len(h.Endpoints()) != 0 {
		t.Errorf("NewHandler made %+v", h)
	}
	if s.NewHandler(nil).Name() != "" {
		t.Error("a nil handler has a name")
	}
	if sub.Topic() != "topic" || sub.Options().Queue != "q" || !sub.Options().AutoAck {
		t.Errorf("NewSubscriber made %+v", sub)
	}
	if got := s.Options().Name; got != "greeter" {
		t.Errorf("Options has name %q", got)
	}
	for name, err := range map[string]error{
		"Init":      s.Init(),
		"Handle":    s.Handle(h),
		"Subscribe": s.Subscribe(sub),
		"Start":     s.Start(),
		"Stop":      s.Stop(),
		"default":   server.Handle(h),
		"Run":       server.Run(),
	} {
		if err == nil || !strings.Contains(err.Error(), `_ "github.com/rollcall-go/micro/server/grpc"`) {
			t.Errorf("%s returned %v, which does not name the import to add", name, err)
		}
	}
}

func TestConstructsThroughTheHook(t *testing.T) {
	early := server.NewServer(server.Version("1.2"))
	made := 0
	defaults.Server.Set(func(opts ...server.Option) server.Server {
		made++
		return &fake{opts: server.NewOptions(opts...)}
	})
	t.Cleanup(func() { defaults.Server.Set(nil) })

	if s := server.NewServer(); s.String() != "fake" || made != 1 {
		t.Errorf("NewServer returned %T after making %d", s, made)
	}
	for range 2 {
		if early.String() != "fake" || early.Options().Version != "1.2" || made != 2 {
			t.Errorf("the server made before its implementation has options %+v; %d were made", early.Options(), made)
		}
	}
}

func TestRunStopsOnASignal(t *testing.T) {
	before := server.DefaultServer
	t.Cleanup(func() { server.DefaultServer = before })
	self, err := os.FindProcess(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	f := &fake{onStart: func() error { return self.Signal(os.Interrupt) }}
	server.DefaultServer = f

	if err := server.Run(); err != nil {
		t.Fatal(err)
	}
	if !f.stopped {
		t.Fatal("Run did not stop the server")
	}
}

func TestContext(t *testing.T) {
	if _, ok := server.FromContext(t.Context()); ok {
		t.Fatal("an empty context has a server")
	}
	f := &fake{}
	if s, ok := server.FromContext(server.NewContext(t.Context(), f)); !ok || s != server.Server(f) {
		t.Fatalf("got %v, %t", s, ok)
	}
}

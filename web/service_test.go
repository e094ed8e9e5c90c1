package web

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-go/micro/internal/defaults"
	"github.com/rollcall-go/micro/internal/record"
	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/registry"
)

func TestAServiceIsRegisteredAndAnswers(t *testing.T) {
	r := newMemory(t)
	s := newTest(t, r, Version("1.2"), Id("node-7"), Metadata(map[string]string{"zone": "a"}))
	s.HandleFunc("/hello", hello)
	start(t, s)
	svc, n := node(t, r, "go.micro.web.test")
	want := map[string]string{"zone": "a", "protocol": "http", "server": "web", "registry": "memory", record.Mark: defaults.Version}
	if svc.Version != "1.2" || n.Id != "node-7" || len(svc.Endpoints) != 1 || svc.Endpoints[0].Name != "/hello" || n.Address != s.Options().Address {
		t.Errorf("registered %+v, %+v", svc, n)
	}
	for k, v := range want {
		if n.Metadata[k] != v {
			t.Errorf("metadata %q are %q, want %q", k, n.Metadata[k], v)
		}
	}
	if code, body := get(t, plain(t), "http://"+n.Address+"/hello"); code != http.StatusOK || body != "hello" {
		t.Errorf("answered %d %q", code, body)
	}
	if code, body := get(t, s.Client(), "http://go.micro.web.test/hello"); code != http.StatusOK || body != "hello" {
		t.Errorf("by name: answered %d %q", code, body)
	}
	// What is handled later is said later.
	s.HandleFunc("/more", hello)
	testkit.Eventually(t, 10*time.Second, "the new pattern registered", func() bool {
		svc, _ := node(t, r, "go.micro.web.test")
		return len(svc.Endpoints) == 2
	})
	if s.Ready() != nil || s.Stats()["registered"] != 1 {
		t.Errorf("ready: %v, stats %v", s.Ready(), s.Stats())
	}
	if err := s.Stop(); err != nil {
		t.Error(err)
	}
	if _, err := r.GetService("go.micro.web.test"); !errors.Is(err, registry.ErrNotFound) {
		t.Errorf("after the stop: %v", err)
	}
	if s.Ready() == nil || s.Start() == nil {
		t.Error("a service that was stopped is ready, or starts again")
	}
}

func TestWhatCanNeverWorkEndsTheStart(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for name, tc := range map[string]struct {
		set  func(Service)
		opt  Option
		want []string
	}{
		"a pattern twice":       {func(s Service) { s.HandleFunc("/a", hello); s.HandleFunc("/a", hello) }, Name("a"), []string{`"/a"`}},
		"an address in use":     {nil, Address(l.Addr().String()), []string{l.Addr().String(), "--server_address"}},
		"an address of no form": {nil, Address("8080"), []string{`"8080"`, "host:port"}},
		"an advertised address": {nil, Advertise("a b"), []string{`"a b"`}},
		"no name":               {nil, Name(""), []string{"service name"}},
		"plaintext beside TLS":  {nil, TLSFiles("missing", "", ""), []string{"missing"}},
		"a function before":     {nil, BeforeStart(func() error { return errors.New("no database") }), []string{"no database"}},
		"a function after":      {nil, AfterStart(func() error { return errors.New("no queue") }), []string{"no queue"}},
		"files that are a file": {nil, StaticDir("service_test.go"), []string{"service_test.go", "StaticDir"}},
	} {
		t.Run(name, func(t *testing.T) {
			r := newMemory(t)
			s := newTest(t, r, tc.opt)
			if tc.set != nil {
				tc.set(s)
			}
			err := s.Start()
			for _, want := range tc.want {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("got %v, want it to say %s", err, want)
				}
			}
			if services, err := r.ListServices(); err != nil || len(services) > 0 {
				t.Errorf("registered are %v, %v", services, err)
			}
		})
	}
}

func TestTwoServicesOfOneProcess(t *testing.T) {
	r := newMemory(t)
	a, b := newTest(t, r), newTest(t, r)
	start(t, a)
	start(t, b)
	services, err := r.GetService("go.micro.web.test")
	if err != nil || len(services[0].Nodes) != 2 {
		t.Fatalf("registered are %v, %v", services, err)
	}
}

func TestRunEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	r := newMemory(t)
	var seen []string
	note := func(what string) func() error { return func() error { seen = append(seen, what); return nil } }
	s := newTest(t, r, Context(ctx), BeforeStart(note("before start")), AfterStart(func() error {
		seen = append(seen, "after start")
		if _, err := r.GetService("go.micro.web.test"); err == nil {
			t.Error("registered before the functions of AfterStart had run")
		}
		return nil
	}), BeforeStop(func() error {
		seen = append(seen, "before stop")
		if _, err := r.GetService("go.micro.web.test"); err == nil {
			t.Error("still registered when the functions of BeforeStop run")
		}
		return nil
	}), AfterStop(note("after stop")))
	done := make(chan error, 1)
	go func() { done <- s.Run() }()
	testkit.Eventually(t, 10*time.Second, "ready", func() bool { return s.Ready() == nil })
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if got := strings.Join(seen, ", "); got != "before start, after start, before stop, after stop" {
		t.Errorf("ran %s", got)
	}
}

func TestACheckThatFailsKeepsTheNodeOut(t *testing.T) {
	r := newMemory(t)
	s := newTest(t, r, RegisterCheck(func(context.Context) error { return errors.New("no database at 10.0.0.1") }), Readiness("/readyz"), Handler(http.HandlerFunc(hello)))
	start(t, s)
	if _, err := r.GetService("go.micro.web.test"); !errors.Is(err, registry.ErrNotFound) {
		t.Errorf("registered: %v", err)
	}
	code, body := get(t, plain(t), "http://"+s.Options().Address+"/readyz")
	if code != http.StatusServiceUnavailable || strings.Contains(body, "database") {
		t.Errorf("readiness: %d %q", code, body)
	}
	if code, _ := get(t, plain(t), "http://"+s.Options().Address+"/else"); code != http.StatusOK {
		t.Errorf("the handler answered %d", code)
	}
}

func TestOptionsInAnyOrder(t *testing.T) {
	type own struct{}
	for _, opts := range [][]Option{
		{Context(context.WithValue(t.Context(), own{}, 1)), StopGrace(7), TLSFiles("a", "b", "c")},
		{TLSFiles("a", "b", "c"), StopGrace(7), Context(context.WithValue(t.Context(), own{}, 1))},
	} {
		o := newOptions(opts...)
		if settingsOf(o.Context).grace != 7 || tlsOf(o.Context).Files.Key != "c" || o.Context.Value(own{}) != 1 {
			t.Errorf("something was lost: %+v, %+v", settingsOf(o.Context), tlsOf(o.Context))
		}
	}
}

func TestAServiceIsSetUpBeforeItStarts(t *testing.T) {
	s := newTest(t, newMemory(t))
	start(t, s)
	if err := s.Init(Name("other")); err == nil || s.Options().Name == "other" {
		t.Errorf("init of a service that runs: %v, name %q", err, s.Options().Name)
	}
}

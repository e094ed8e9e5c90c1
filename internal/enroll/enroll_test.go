package enroll

import (
	"bytes"
	"context"
	"errors"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rollcall-go/micro/internal/ability"
	"github.com/rollcall-go/micro/internal/defaults"
	"github.com/rollcall-go/micro/logger"
	"github.com/rollcall-go/micro/registry"
)

// foreign is a registry as a program may write one: it knows nothing beyond the
// contract, and forgets a node when its time to live is over.
type foreign struct {
	registry.Registry
	mu       sync.Mutex
	until    map[string]time.Time
	gaps     int // renewals that came after the node was gone
	fail     error
	block    chan struct{}
	services []*registry.Service
	left     []string
}

func (f *foreign) String() string { return "foreign" }

func (f *foreign) Register(s *registry.Service, opts ...registry.RegisterOption) error {
	var o registry.RegisterOptions
	for _, opt := range opts {
		opt(&o)
	}
	if f.block != nil {
		<-f.block
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.fail != nil {
		return f.fail
	}
	if f.until == nil {
		f.until = map[string]time.Time{}
	}
	id := s.Nodes[0].Id
	if end, ok := f.until[id]; ok && time.Now().After(end) {
		f.gaps++
	}
	f.until[id] = time.Now().Add(o.TTL)
	f.services = append(f.services, s)
	return nil
}

func (f *foreign) Deregister(s *registry.Service, _ ...registry.DeregisterOption) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.left = append(f.left, s.Nodes[0].Id)
	delete(f.until, s.Nodes[0].Id)
	return nil
}

func (f *foreign) set(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fail = err
}

func (f *foreign) alive(id string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	end, ok := f.until[id]
	return ok && time.Now().Before(end)
}

type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

func (o *output) count(text string) int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return strings.Count(o.b.String(), text)
}

func describe(address *string) func(context.Context) (*registry.Service, error) {
	return func(context.Context) (*registry.Service, error) {
		return &registry.Service{Name: "s", Version: "1", Nodes: []*registry.Node{{Id: "s-1", Address: *address}}}, nil
	}
}

func config(r registry.Registry, out *output) Config {
	address := "10.0.0.1:1"
	return Config{
		Registry: r, Describe: describe(&address), TTL: 9 * time.Second,
		Log: logger.NewLogger(logger.WithOutput(out)),
	}
}

func TestRenewsInAForeignRegistry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, out := &foreign{}, &output{}
		e := Start(config(f, out))
		synctest.Wait()
		for range 30 {
			time.Sleep(time.Second)
			if !f.alive("s-1") {
				t.Fatal("the node disappeared")
			}
		}
		if f.gaps != 0 || e.Ready() != nil {
			t.Fatalf("gaps %d, ready %v", f.gaps, e.Ready())
		}
		if err := e.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
		if f.alive("s-1") || len(f.left) != 1 {
			t.Fatalf("after stop: left %v", f.left)
		}
		if n := out.count("Registry [foreign] Registering node: s-1"); n != 1 {
			t.Errorf("%d lines for one registration", n)
		}
		if n := out.count("Deregistering node: s-1"); n != 1 {
			t.Errorf("%d lines for one deregistration", n)
		}
	})
}

func TestOneLinePerCause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, out := &foreign{fail: errors.New("connection refused")}, &output{}
		e := Start(config(f, out))
		time.Sleep(time.Hour)
		synctest.Wait()
		if n := out.count("Server register error: connection refused"); n != 1 {
			t.Fatalf("%d lines in an hour of the same failure", n)
		}
		if err := e.Ready(); err == nil || !strings.Contains(err.Error(), "connection refused") {
			t.Fatalf("ready: %v", err)
		}
		f.set(nil)
		begun := time.Now()
		state, changed := e.Changed()
		<-changed
		if took := time.Since(begun); state.Phase != Trying || took > time.Second {
			t.Fatalf("registered %s after the registry came back", took)
		}
		if err := e.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
	})
}

func TestPublishesAChange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, out := &foreign{}, &output{}
		cfg := config(f, out)
		var mu sync.Mutex
		address := "10.0.0.1:1"
		cfg.Describe = func(ctx context.Context) (*registry.Service, error) {
			mu.Lock()
			defer mu.Unlock()
			return describe(&address)(ctx)
		}
		e := Start(cfg)
		synctest.Wait()
		mu.Lock()
		address = "10.0.0.2:1"
		mu.Unlock()
		time.Sleep(cfg.TTL)
		synctest.Wait()
		if got := f.services[len(f.services)-1].Nodes[0].Address; got != "10.0.0.2:1" {
			t.Fatalf("published %q", got)
		}
		if err := e.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
	})
}

func TestCheckKeepsTheNodeOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, out := &foreign{}, &output{}
		cfg := config(f, out)
		var mu sync.Mutex
		var sick error
		cfg.Check = func(context.Context) error {
			mu.Lock()
			defer mu.Unlock()
			return sick
		}
		e := Start(cfg)
		synctest.Wait()
		mu.Lock()
		sick = errors.New("disk full")
		mu.Unlock()
		time.Sleep(cfg.TTL)
		synctest.Wait()
		if f.alive("s-1") || e.State().Phase != Unhealthy {
			t.Fatalf("a sick node is registered: %+v", e.State())
		}
		mu.Lock()
		sick = nil
		mu.Unlock()
		time.Sleep(cfg.TTL)
		synctest.Wait()
		if !f.alive("s-1") || e.Ready() != nil {
			t.Fatalf("a healthy node is not registered: %+v", e.State())
		}
		if err := e.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
	})
}

func TestStopDoesNotWaitForARegistryThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, out := &foreign{block: make(chan struct{})}, &output{}
		e := Start(config(f, out))
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		begun := time.Now()
		err := e.Stop(ctx)
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(begun) != 2*time.Second {
			t.Fatalf("after %s: %v", time.Since(begun), err)
		}
		// The call that hung comes back at last and has registered the node: that is
		// taken back.
		close(f.block)
		<-e.done
		synctest.Wait()
		if f.alive("s-1") {
			t.Fatal("a node registered after the stop stays behind")
		}
	})
}

func TestStopTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, out := &foreign{}, &output{}
		e := Start(config(f, out))
		synctest.Wait()
		for range 2 {
			if err := e.Stop(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if len(f.left) != 1 {
			t.Fatalf("deregistered %v", f.left)
		}
		if e.State().Phase != Left || e.Ready() == nil {
			t.Fatalf("%+v", e.State())
		}
	})
}

// renewing is a registry that renews by itself and answers a Deregister that it
// has carried out with an error.
type renewing struct{ foreign }

func (*renewing) Renews() bool { return true }

func (r *renewing) Register(s *registry.Service, opts ...registry.RegisterOption) error {
	return r.foreign.Register(s, append(opts, registry.RegisterTTL(time.Hour))...)
}

func (r *renewing) Deregister(s *registry.Service, opts ...registry.DeregisterOption) error {
	return errors.Join(r.foreign.Deregister(s, opts...), errors.New("the answer got lost"))
}

func TestRegistersAgainAfterADeregistrationThatFailed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, out := &renewing{}, &output{}
		cfg := config(f, out)
		var sick atomic.Bool
		cfg.Check = func(context.Context) error {
			if sick.Load() {
				return errors.New("disk full")
			}
			return nil
		}
		e := Start(cfg)
		synctest.Wait()
		for _, state := range []bool{true, false} {
			sick.Store(state)
			time.Sleep(defaults.RegisterInterval)
			synctest.Wait()
		}
		if !f.alive("s-1") || e.Ready() != nil {
			t.Fatalf("a node that is fit again is not registered: %+v", e.State())
		}
		if err := e.Stop(t.Context()); err == nil {
			t.Fatal("a deregistration that failed is no error")
		}
	})
}

// observed is a registry that watches over records and tells what a test has to say.
type observed struct {
	foreign
	observers sync.Map // node -> func(ability.Status)
}

func (*observed) Renews() bool { return true }

func (o *observed) Register(s *registry.Service, opts ...registry.RegisterOption) error {
	return o.foreign.Register(s, append(opts, registry.RegisterTTL(time.Hour))...)
}

func (o *observed) ObserveRegistration(_, node string, observe func(ability.Status)) (stop func()) {
	o.observers.Store(node, observe)
	return func() { o.observers.Delete(node) }
}

// A node that gets another name leaves under the old one, and what becomes of the
// new one is heard.
func TestHearsOfARenamedNode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := &observed{}
		cfg := config(o, &output{})
		var node atomic.Value
		node.Store("s-1")
		cfg.Describe = func(context.Context) (*registry.Service, error) {
			return &registry.Service{Name: "s", Version: "1", Nodes: []*registry.Node{{Id: node.Load().(string), Address: "10.0.0.1:1"}}}, nil
		}
		e := Start(cfg)
		synctest.Wait()
		node.Store("s-2")
		e.CheckNow()
		time.Sleep(time.Second)
		synctest.Wait()
		if _, still := o.observers.Load("s-1"); still || o.alive("s-1") || !o.alive("s-2") {
			t.Errorf("the old name is observed: %v, registered: %v; the new one registered: %v", still, o.alive("s-1"), o.alive("s-2"))
		}
		if observe, ok := o.observers.Load("s-2"); !ok {
			t.Error("nobody hears of the new name")
		} else {
			observe.(func(ability.Status))(ability.Status{State: ability.Paused, Reason: "paused by an operator"})
		}
		synctest.Wait()
		if s := e.State(); s.Phase != Paused || s.Node != "s-2" {
			t.Errorf("state %+v, want that it is paused", s)
		}
		if err := e.Stop(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// A check that ends its goroutine has failed; the next one counts again.
func TestACheckThatEndsItsGoroutine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := config(&foreign{}, &output{})
		var checks atomic.Int32
		cfg.Check = func(context.Context) error {
			if checks.Add(1) == 1 {
				runtime.Goexit()
			}
			return nil
		}
		e := Start(cfg)
		synctest.Wait()
		if err := e.Ready(); err == nil || !strings.Contains(err.Error(), "Goexit") {
			t.Errorf("after the first check: %v", err)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if err := e.Ready(); err != nil {
			t.Errorf("after the second: %v", err)
		}
		if err := e.Stop(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

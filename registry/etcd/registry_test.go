package etcd_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/logger"
	"github.com/rollcall-go/micro/registry"
	"github.com/rollcall-go/micro/registry/etcd"
	"github.com/rollcall-go/micro/registry/registrytest"
)

// nobody is an address where nobody listens.
const nobody = "127.0.0.1:1"

func TestMain(m *testing.M) { testkit.MainWaiting(m) }

// open returns a registry in the etcd at addr that is closed with the test.
func open(t *testing.T, addr string, opts ...registry.Option) registry.Registry {
	t.Helper()
	r := etcd.NewRegistry(append([]registry.Option{registry.Addrs(addr)}, opts...)...)
	t.Cleanup(func() {
		if err := r.(io.Closer).Close(); err != nil {
			t.Error(err)
		}
	})
	return r
}

// empty deletes every key.
func empty(t *testing.T, c *clientv3.Client) {
	t.Helper()
	if _, err := c.Delete(t.Context(), "\x00", clientv3.WithFromKey()); err != nil {
		t.Fatal(err)
	}
}

func TestRegistry(t *testing.T) {
	t.Parallel()
	testkit.EachKind(t, func(t *testing.T, kind testkit.Kind) {
		t.Parallel()
		server := testkit.StartEtcd(t, testkit.OfKind(kind))
		client := server.Client(t)
		crowd := 10_000
		if kind != testkit.Ours {
			crowd = 500 // the wire is the same
		}
		registrytest.Run(t, func(t *testing.T) registry.Registry {
			empty(t, client)
			return open(t, server.Addr())
		}, registrytest.Second(func(t *testing.T) registry.Registry { return open(t, server.Addr()) }),
			registrytest.Unreachable(func(t *testing.T) (registry.Registry, string) {
				return open(t, nobody, registry.Timeout(time.Second)), nobody
			}), registrytest.Renews(), registrytest.TTL(2*time.Second), registrytest.Crowd(crowd))
	})
}

func TestOwnClient(t *testing.T) {
	server := testkit.StartEtcd(t)
	client := server.Client(t)
	r := etcd.NewRegistry(etcd.Client(client))
	if err := r.Register(service("s", "a")); err != nil {
		t.Fatal(err)
	}
	if _, err := r.GetService("s"); err != nil {
		t.Error(err)
	}
	if err := r.(io.Closer).Close(); err != nil {
		t.Error(err)
	}
	if _, err := client.Get(t.Context(), "k"); err != nil {
		t.Errorf("the program's client was closed: %v", err)
	}
}

// TestSettingsBesideAnOwnClientAreTold gives, as a flag does, what the program's
// client does not take.
func TestSettingsBesideAnOwnClientAreTold(t *testing.T) {
	var log bytes.Buffer
	before := logger.DefaultLogger
	logger.DefaultLogger = logger.NewLogger(logger.WithOutput(&log))
	defer func() { logger.DefaultLogger = before }()

	r := etcd.NewRegistry(etcd.Client(testkit.StartEtcd(t).Client(t)))
	if log.Len() > 0 {
		t.Errorf("the log says %q, and nothing was given", &log)
	}
	if err := r.Init(registry.Addrs("a:1"), etcd.Auth("user", "hunter2")); err != nil {
		t.Error(err)
	}
	if !strings.Contains(log.String(), "client of its own") || strings.Contains(log.String(), "hunter2") {
		t.Errorf("the log says %q", &log)
	}
	if err := r.(io.Closer).Close(); err != nil {
		t.Error(err)
	}
}

func service(name string, ids ...string) *registry.Service {
	s := &registry.Service{Name: name, Version: "1"}
	for _, id := range ids {
		s.Nodes = append(s.Nodes, &registry.Node{Id: id, Address: "10.0.0.1:8080"})
	}
	return s
}

// value is how v2 writes the only node of a service.
func value(name, id string) string {
	return fmt.Sprintf(`{"name":%q,"version":"1","metadata":null,"endpoints":null,"nodes":[{"id":%q,"address":"10.0.0.1:8080","metadata":null}]}`, name, id)
}

func outline(services []*registry.Service) string {
	var out []string
	for _, s := range services {
		for _, n := range s.Nodes {
			out = append(out, s.Name+"@"+s.Version+"/"+n.Id)
		}
	}
	return strings.Join(out, " ")
}

func TestKeysAreV2s(t *testing.T) {
	server := testkit.StartEtcd(t)
	client := server.Client(t)
	r := open(t, server.Addr())
	if err := r.Register(service("a/b", "x/y"), registry.RegisterTTL(1500*time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	got, err := client.Get(t.Context(), "/micro/registry/", clientv3.WithPrefix())
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Kvs) != 1 || string(got.Kvs[0].Key) != "/micro/registry/a-b/x-y" || string(got.Kvs[0].Value) != value("a/b", "x/y") {
		t.Fatalf("etcd holds %v", got.Kvs)
	}
	ttl, err := client.TimeToLive(t.Context(), clientv3.LeaseID(got.Kvs[0].Lease))
	if err != nil || ttl.GrantedTTL != 2 {
		t.Errorf("the lease has %d s (%v), want 1.5 s rounded up", ttl.GrantedTTL, err)
	}

	// The other spelling is another service, whose keys lie beside.
	if _, err := client.Put(t.Context(), "/micro/registry/a-b/z", value("a-b", "z")); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"a/b": "a/b@1/x/y", "a-b": "a-b@1/z"} {
		got, err := r.GetService(name)
		if err != nil || outline(got) != want {
			t.Errorf("%q is %s (%v), want %s", name, outline(got), err, want)
		}
	}
	if err := r.Register(service("a-b", "x-y")); err == nil || !strings.Contains(err.Error(), `"/micro/registry/a-b/x-y"`) {
		t.Errorf("two nodes share one key: %v", err)
	}
}

func TestPoisonHidesNothing(t *testing.T) {
	server := testkit.StartEtcd(t)
	client := server.Client(t)
	r := open(t, server.Addr())
	w, err := r.Watch()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Stop()
	for id, v := range map[string]string{
		"garbage": "\x00\xff", "empty": "", "truncated": value("s", "truncated")[:40], "mistyped": `{"name":"s","nodes":"x"}`,
		"list": "[1]", "nodeless": `{"name":"s","version":"1"}`, "other": value("s", "not-the-key"), "big": strings.Repeat("x", 1<<20),
		"null-node": `{"name":"s","version":"1","nodes":[null]}`,
	} {
		if _, err := client.Put(t.Context(), "/micro/registry/s/"+id, v); err != nil {
			t.Fatal(err)
		}
	}
	for _, key := range []string{"/micro/registry/s", "/micro/registry/", "/micro/registry/s/a/b"} {
		if _, err := client.Put(t.Context(), key, value("s", "a")); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := r.GetService("s"); !errors.Is(err, registry.ErrNotFound) {
		t.Errorf("poison alone is found: %v", err)
	}
	if err := r.Register(service("s", "good")); err != nil {
		t.Fatal(err)
	}
	for what, read := range map[string]func() ([]*registry.Service, error){
		"GetService":   func() ([]*registry.Service, error) { return r.GetService("s") },
		"ListServices": func() ([]*registry.Service, error) { return r.ListServices() },
	} {
		if got, err := read(); err != nil || outline(got) != "s@1/good" {
			t.Errorf("%s: %s (%v)", what, outline(got), err)
		}
	}
	if e, err := w.Next(); err != nil || e.Action != "create" || outline([]*registry.Service{e.Service}) != "s@1/good" {
		t.Errorf("the watcher saw %+v (%v), want the good node created", e, err)
	}
	if n := r.(interface{ Stats() map[string]uint64 }).Stats()["records_skipped"]; n == 0 {
		t.Error("what was passed over was not counted")
	}

	// A record that turns into poison is gone.
	if _, err := client.Put(t.Context(), "/micro/registry/t/a", value("t", "a")); err != nil {
		t.Fatal(err)
	}
	if _, err := client.Put(t.Context(), "/micro/registry/t/a", "{"); err != nil {
		t.Fatal(err)
	}
	for _, action := range []string{"create", "delete"} {
		if e, err := w.Next(); err != nil || e.Action != action || outline([]*registry.Service{e.Service}) != "t@1/a" {
			t.Errorf("the watcher saw %+v (%v), want %s", e, err, action)
		}
	}
}

func TestTooLarge(t *testing.T) {
	r := open(t, "127.0.0.1:1") // not asked
	s := service("s", "a")
	s.Nodes[0].Metadata = map[string]string{"k": strings.Repeat("x", 1<<20)}
	if err := r.Register(s); err == nil || !strings.Contains(err.Error(), "10487") {
		t.Errorf("got %v, want an error with the size", err)
	}
}

func TestMalformedAddress(t *testing.T) {
	r := open(t, "bad:1:2")
	for what, err := range all(r) {
		if err == nil || !strings.Contains(err.Error(), `"bad:1:2"`) {
			t.Errorf("%s: got %v, want an error that quotes the address", what, err)
		}
	}
	if err := r.Init(registry.Timeout(time.Second)); err == nil || !strings.Contains(err.Error(), `"bad:1:2"`) {
		t.Errorf("Init: got %v, want an error that quotes the address", err)
	}
}

// all calls every method that needs etcd.
func all(r registry.Registry) map[string]error {
	errs := map[string]error{
		"Register":   r.Register(service("s", "a")),
		"Deregister": r.Deregister(service("s", "a")),
	}
	_, errs["GetService"] = r.GetService("s")
	_, errs["ListServices"] = r.ListServices()
	_, errs["Watch"] = r.Watch()
	return errs
}

func TestClosed(t *testing.T) {
	server := testkit.StartEtcd(t)
	r := open(t, server.Addr())
	if err := r.Register(service("s", "a")); err != nil {
		t.Fatal(err)
	}
	w, err := r.Watch()
	if err != nil {
		t.Fatal(err)
	}
	if err := r.(io.Closer).Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Next(); !errors.Is(err, registry.ErrWatcherStopped) {
		t.Errorf("Next returned %v, want ErrWatcherStopped", err)
	}
	w.Stop()
	for what, err := range all(r) {
		if err == nil || !strings.Contains(err.Error(), "closed") {
			t.Errorf("%s after Close: %v", what, err)
		}
	}
	if err := r.Init(registry.Timeout(time.Second)); err == nil {
		t.Error("Init opened a closed registry")
	}
}

func TestContextsAreHonoured(t *testing.T) {
	server := testkit.StartEtcd(t)
	r := open(t, server.Addr())
	over, cancel := context.WithCancel(t.Context())
	cancel()
	_, get := r.GetService("s", registry.GetContext(over))
	_, list := r.ListServices(registry.ListContext(over))
	_, watch := r.Watch(registry.WatchContext(over))
	for what, err := range map[string]error{
		"Register": r.Register(service("s", "a"), registry.RegisterContext(over)), "GetService": get, "ListServices": list, "Watch": watch,
	} {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%s returned %v, want context.Canceled", what, err)
		}
	}
	if got, err := r.ListServices(); err != nil || len(got) != 0 {
		t.Errorf("a Register that failed left %s (%v)", outline(got), err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	w, err := r.Watch(registry.WatchContext(ctx))
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	if _, err := w.Next(); !errors.Is(err, registry.ErrWatcherStopped) {
		t.Errorf("Next returned %v after its context ended, want ErrWatcherStopped", err)
	}
	w.Stop()
}

package e2e

import (
	"context"
	stderrors "errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-go/micro"
	"github.com/rollcall-go/micro/client"
	cgrpc "github.com/rollcall-go/micro/client/grpc"
	"github.com/rollcall-go/micro/errors"
	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/registry"
	"github.com/rollcall-go/micro/server"
	sgrpc "github.com/rollcall-go/micro/server/grpc"
)

// TestAddressesOfEtcd opens registries at addresses as people write them.
func TestAddressesOfEtcd(t *testing.T) {
	t.Parallel()
	e := testkit.StartEtcd(t)
	_, port, _ := strings.Cut(e.Addr(), ":")
	for _, good := range []string{"http://" + e.Addr(), " " + e.Addr() + "\t", "http://127.0.0.1:" + port + "/", "localhost:" + port} {
		r := openRegistry(t, good)
		n := start(t, "greeter", r)
		n.until(t, n.began, 2*time.Second)
		mustSay(t, newClient(t, r), "greeter")
		if err := n.stop(); err != nil {
			t.Errorf("%q: stop: %v", good, err)
		}
	}
	for _, bad := range []string{"", " ", "ftp://" + e.Addr(), "127.0.0.1:port", "127.0.0.1:99999", "a b:2379", "bad:1:2", "[::1:2379", "服务:2379", "://", "127.0.0.1:", "unix:///run/etcd.sock"} {
		r := openRegistry(t, bad)
		s := micro.NewService(micro.Name("greeter"), micro.Registry(r), micro.HandleSignal(false), micro.Address("127.0.0.1:0"), micro.Client(client.NewClient()), micro.Server(sgrpc.NewServer()))
		_, looked := r.GetService("greeter")
		_, called := say(t.Context(), newClient(t, r), "greeter", "x")
		for what, err := range map[string]error{"Run": s.Run(), "GetService": looked, "a call": detail(called)} {
			if err == nil || !strings.Contains(err.Error(), fmt.Sprintf("%q", bad)) {
				t.Errorf("%q: %s: %v, want an error that quotes it", bad, what, err)
			}
		}
	}
	// An IPv6 address is understood, whether or not somebody is there.
	if _, err := openRegistry(t, "[::1]:1", registry.Timeout(100*time.Millisecond)).GetService("greeter"); err == nil || !strings.Contains(err.Error(), "[::1]:1") {
		t.Errorf("GetService at [::1]:1: %v", err)
	}
}

// detail returns what an error of a call says, without the JSON around it.
func detail(err error) error {
	if e := errors.FromError(err); e != nil {
		return stderrors.New(e.Detail)
	}
	return nil
}

func TestNamesOfServices(t *testing.T) {
	t.Parallel()
	e := testkit.StartEtcd(t)
	r := openRegistry(t, e.Addr())
	c := newClient(t, r)
	for _, good := range []string{"a/b", "a-b", "服务", "with a blank", "go.micro.服务.demo"} {
		n := start(t, good, r)
		n.until(t, n.began, 2*time.Second)
	}
	for _, good := range []string{"a-b", "服务", "with a blank", "go.micro.服务.demo"} {
		got, err := echo(t.Context(), c, good, "Who", "")
		if err != nil || !strings.HasPrefix(got, good+"-") {
			t.Errorf("call %q: answered by %q, %v", good, got, err)
		}
	}
	// A slash is for the registry to live with; a path of gRPC has no place for it.
	if got, err := r.GetService("a/b"); err != nil || len(got) != 1 || got[0].Name != "a/b" {
		t.Errorf("look up a/b: %v, %v", got, err)
	}
	if _, err := say(t.Context(), c, "a/b", "x"); errors.FromError(err).Code != 400 || !strings.Contains(err.Error(), "/a/b.Echo/Say") {
		t.Errorf("call a/b: %v, want code 400 and the path", err)
	}
	for _, bad := range []string{"..", ".", "/", ""} {
		if _, err := say(t.Context(), c, bad, "x"); err == nil || !strings.Contains(err.Error(), "name") {
			t.Errorf("call %q: %v, want an error about the name", bad, err)
		}
		if bad == "" {
			continue
		}
		own := micro.NewService(micro.Name(bad), micro.Registry(r), micro.Address("127.0.0.1:0"), micro.HandleSignal(false), micro.Client(c), micro.Server(sgrpc.NewServer()))
		if err := own.Run(); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("%q", bad)) {
			t.Errorf("run %q: %v, want an error that quotes it", bad, err)
		}
	}
	// An empty name is none: the default applies.
	if n := start(t, "", r); n.Name() != "go.micro.server" {
		t.Errorf("a service without a name is called %q", n.Name())
	} else {
		n.until(t, n.began, 2*time.Second)
	}
	if all, err := r.ListServices(); err != nil || len(all) != 6 {
		t.Errorf("%d services are listed (%v), want 6", len(all), err)
	}
	if _, err := say(t.Context(), c, "greter", "x"); errors.FromError(err).Code != 500 || !strings.Contains(err.Error(), "not found") {
		t.Errorf("call what is not there: %v", err)
	}
}

// TestPoisonInEtcd puts into etcd what no service would.
func TestPoisonInEtcd(t *testing.T) {
	t.Parallel()
	e := testkit.StartEtcd(t)
	etcd, r := e.Client(t), openRegistry(t, e.Addr())
	good := stored("greeter", "x", "127.0.0.1:1")
	for id, value := range map[string]string{
		"garbage":   "\x00\xff\xfe not json",
		"empty":     "",
		"truncated": good[:len(good)/2],
		"mistyped":  `{"name":"greeter","version":1,"nodes":"none"}`,
		"list":      `[1]`,
		"null":      `null`,
		"nodeless":  `{"name":"greeter","version":"1","nodes":null}`,
		"big":       strings.Repeat("x", 1<<20),
		"big-json":  `{"name":"greeter","version":"` + strings.Repeat("x", 1<<20) + `","nodes":[null]}`,
	} {
		put(t, etcd, "/micro/registry/greeter/"+id, value)
		put(t, etcd, "/micro/registry/other/"+id, value)
	}
	n := start(t, "greeter", r)
	n.until(t, n.began, 2*time.Second)
	c := newClient(t, openRegistry(t, e.Addr()))
	for range 20 {
		mustSay(t, c, "greeter")
	}
	v := watch(t, r, "greeter")
	put(t, etcd, "/micro/registry/greeter/late", "{")
	caughtUp(t, v, etcd, "greeter")
	mustSay(t, c, "greeter")
	if all, err := r.ListServices(); err != nil || len(all) != 1 || len(all[0].Nodes) != 1 {
		t.Errorf("ListServices: %v (%v), want the good node alone", all, err)
	}
}

func TestHandlersThatGoWrong(t *testing.T) {
	t.Parallel()
	e := testkit.StartEtcd(t)
	r := openRegistry(t, e.Addr())
	n := start(t, "greeter", r)
	n.until(t, n.began, 2*time.Second)
	c := newClient(t, r)
	for _, tc := range []struct {
		method string
		code   int32
		says   string
	}{
		{"Panic", 500, "panic recovered: out of cheese"},
		{"Missing", 404, "no x here"},
		{"Wrong", 500, "unknown service Echo.Wrong"},
		{"Nothing", 500, "unknown service Echo.Nothing"},
		{"Big", 500, "MaxMsgSize"},
	} {
		_, err := echo(t.Context(), c, "greeter", tc.method, "x")
		var e *errors.Error
		if !stderrors.As(err, &e) || !strings.Contains(err.Error(), tc.says) {
			t.Errorf("%s: %v, want an error that says %q", tc.method, err, tc.says)
		} else if tc.method != "Big" && tc.method != "Wrong" && tc.method != "Nothing" && e.Code != tc.code {
			t.Errorf("%s: code %d, want %d", tc.method, e.Code, tc.code)
		}
		mustSay(t, c, "greeter")
	}
	if _, err := say(t.Context(), c, "greeter", strings.Repeat("x", 5<<20)); err == nil || !strings.Contains(err.Error(), "MaxSendMsgSize") {
		t.Errorf("a request over the limit: %v, want an error that names the option", err)
	}
	// With the limits raised on both sides it passes.
	wide := startServer(t, "wide", r, []server.Option{sgrpc.MaxMsgSize(16 << 20)})
	wide.until(t, wide.began, 2*time.Second)
	if _, err := echo(t.Context(), c, "wide", "Big", ""); err == nil || !strings.Contains(err.Error(), "MaxRecvMsgSize") {
		t.Errorf("an answer over the client's limit: %v, want an error that names the option", err)
	}
	wc := cgrpc.NewClient(client.Registry(r), cgrpc.MaxRecvMsgSize(64<<20), cgrpc.MaxSendMsgSize(64<<20))
	defer closePart(t, wc)
	if got, err := echo(t.Context(), wc, "wide", "Big", ""); err != nil || len(got) != 5<<20 {
		t.Errorf("with the limits raised: %d bytes, %v", len(got), err)
	}
	// Whoever connects here is never answered.
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := say(ctx, c, "greeter", "x", client.WithAddress(silent.Addr().String())); errors.FromError(err).Code != 408 {
		t.Errorf("a call to nowhere: %v, want code 408", err)
	}
}

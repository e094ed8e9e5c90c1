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
	"github.com/rollcall-go/micro/internal/testkit/fleet"
	"github.com/rollcall-go/micro/server"
	sgrpc "github.com/rollcall-go/micro/server/grpc"
)

func TestNamesOfServices(t *testing.T) {
	t.Parallel()
	e := testkit.StartEtcd(t)
	r := fleet.Registry(t, e.Addr())
	c := fleet.Client(t, r)
	for _, good := range []string{"a/b", "a-b", "服务", "with a blank", "go.micro.服务.demo"} {
		n := fleet.Service(t, good, r, nil)
		n.Until(t, n.Began(), 10*time.Second)
	}
	for _, good := range []string{"a/b", "a-b", "服务", "with a blank", "go.micro.服务.demo"} {
		got, err := fleet.Call(t.Context(), c, good, "Who", "")
		if err != nil || !strings.HasPrefix(got, good+"-") {
			t.Errorf("call %q: answered by %q, %v", good, got, err)
		}
	}
	if got, err := r.GetService("a/b"); err != nil || len(got) != 1 || got[0].Name != "a/b" {
		t.Errorf("look up a/b: %v, %v", got, err)
	}
	for _, bad := range []string{"..", ".", "/", "", "a\x01b", "a\nb", " a", "a\u0085"} {
		if _, err := fleet.Call(t.Context(), c, bad, "Say", "x"); err == nil || !strings.Contains(err.Error(), "name") {
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
	if n := fleet.Service(t, "", r, nil); n.Name() != "go.micro.server" {
		t.Errorf("a service without a name is called %q", n.Name())
	} else {
		n.Until(t, n.Began(), 10*time.Second)
	}
	if all, err := r.ListServices(); err != nil || len(all) != 6 {
		t.Errorf("%d services are listed (%v), want 6", len(all), err)
	}
	if _, err := fleet.Call(t.Context(), c, "greter", "Say", "x"); errors.FromError(err).Code != 500 || !strings.Contains(err.Error(), "not found") {
		t.Errorf("call what is not there: %v", err)
	}
}

// Odd has a method that is not of a form that can be called, beside one that is.
type Odd struct{}

// Fine answers nothing.
func (Odd) Fine(context.Context, *fleet.Text, *fleet.Text) error { return nil }

// Wrong cannot be called.
func (Odd) Wrong(a, b int) int { return a + b }

func TestHandlersThatGoWrong(t *testing.T) {
	t.Parallel()
	e := testkit.StartEtcd(t)
	r := fleet.Registry(t, e.Addr())
	n := fleet.Service(t, "greeter", r, nil, func(o *micro.Options) {
		if err := micro.RegisterHandler(o.Server, Odd{}); err != nil {
			t.Error(err)
		}
	})
	n.Until(t, n.Began(), 10*time.Second)
	c := fleet.Client(t, r)
	for _, tc := range []struct {
		method string
		code   int32
		says   string
	}{
		{"Panic", 500, "panic recovered: out of cheese"},
		{"Missing", 404, "no x here"},
		{"Odd.Wrong", 500, "unknown service Odd.Wrong"},
		{"Nothing", 500, "unknown service Echo.Nothing"},
		{"Big", 500, "MaxMsgSize"},
	} {
		_, err := fleet.Call(t.Context(), c, "greeter", tc.method, "x")
		var e *errors.Error
		if !stderrors.As(err, &e) || !strings.Contains(err.Error(), tc.says) {
			t.Errorf("%s: %v, want an error that says %q", tc.method, err, tc.says)
		} else if tc.method != "Big" && tc.method != "Odd.Wrong" && tc.method != "Nothing" && e.Code != tc.code {
			t.Errorf("%s: code %d, want %d", tc.method, e.Code, tc.code)
		}
		fleet.MustSay(t, c, "greeter")
	}
	if _, err := fleet.Call(t.Context(), c, "greeter", "Say", strings.Repeat("x", 5<<20)); err == nil || !strings.Contains(err.Error(), "MaxSendMsgSize") {
		t.Errorf("a request over the limit: %v, want an error that names the option", err)
	}
	// With the limits raised on both sides it passes.
	wide := fleet.Service(t, "wide", r, []server.Option{sgrpc.MaxMsgSize(16 << 20)})
	wide.Until(t, wide.Began(), 10*time.Second)
	if _, err := fleet.Call(t.Context(), c, "wide", "Big", ""); err == nil || !strings.Contains(err.Error(), "MaxRecvMsgSize") {
		t.Errorf("an answer over the client's limit: %v, want an error that names the option", err)
	}
	wc := cgrpc.NewClient(client.Registry(r), cgrpc.MaxRecvMsgSize(64<<20), cgrpc.MaxSendMsgSize(64<<20))
	defer fleet.Close(t, wc)
	if got, err := fleet.Call(t.Context(), wc, "wide", "Big", ""); err != nil || len(got) != 5<<20 {
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
	if _, err := fleet.Call(ctx, c, "greeter", "Say", "x", client.WithAddress(silent.Addr().String())); errors.FromError(err).Code != 408 {
		t.Errorf("a call to nowhere: %v, want code 408", err)
	}
}

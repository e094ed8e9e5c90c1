package grpc

import (
	"context"
	stderrors "errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	grpcmd "google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/rollcall-go/micro/client"
	"github.com/rollcall-go/micro/client/selector"
	"github.com/rollcall-go/micro/internal/rpc"
	"github.com/rollcall-go/micro/metadata"
	"github.com/rollcall-go/micro/registry"
)

func TestCall(t *testing.T) {
	n := serve(t, echo)
	c := newClient(t, client.Registry(register(t, service("echo", n))))
	mustSay(t, c, "服务")
	if c.String() != "grpc" {
		t.Errorf("got %q", c.String())
	}
}

func TestCallRefusesNil(t *testing.T) {
	c := newClient(t)
	for want, err := range map[string]error{
		"req is nil": c.Call(t.Context(), nil, &wrapperspb.StringValue{}),
		"rsp is nil": c.Call(t.Context(), c.NewRequest("echo", "Echo.Say", nil), nil),
	} {
		if e := fault(t, err); e.Code != 500 || e.Detail != want || e.Id != "go.micro.client" {
			t.Errorf("got %v, want %q", e, want)
		}
	}
}

func TestRequestAndMessage(t *testing.T) {
	c := newClient(t, client.ContentType("application/json"))
	r := c.NewRequest("s", "E.M", 1, client.StreamingRequest(), client.WithContentType(""))
	if r.Service() != "s" || r.Method() != "E.M" || r.Endpoint() != "E.M" || r.Body() != 1 || !r.Stream() || r.ContentType() != "application/json" || r.Codec() != nil {
		t.Errorf("got %+v", r)
	}
	if r := newClient(t).NewRequest("s", "E.M", 1); r.ContentType() != "application/grpc+proto" {
		t.Errorf("got content type %q", r.ContentType())
	}
	m := c.NewMessage("topic", 2, client.WithMessageContentType("application/protobuf"))
	if m.Topic() != "topic" || m.Payload() != 2 || m.ContentType() != "application/protobuf" {
		t.Errorf("got %+v", m)
	}
}

func TestMessageThatCannotBeEncoded(t *testing.T) {
	c := newClient(t)
	if err := c.Publish(t.Context(), c.NewMessage("topic", nil)); fault(t, err).Code != 500 || !strings.Contains(err.Error(), "encode the message") {
		t.Error(err)
	}
}

func TestWireOfACall(t *testing.T) {
	var path string
	var header grpcmd.MD
	var bounded bool
	n := serve(t, func(ctx context.Context, p string, decode func(any) error) (any, error) {
		path = p
		header, _ = grpcmd.FromIncomingContext(ctx)
		_, bounded = ctx.Deadline()
		return echo(ctx, p, decode)
	})
	c := newClient(t, client.Registry(register(t, service("echo", n))))
	ctx := metadata.NewContext(t.Context(), metadata.Metadata{
		"Micro-From-Service": "me", "X-Text": "100% 服务", "Remote": "1.2.3.4:5", "bad key": "x", "Content-Type": "text/html",
	})
	for contentType, onWire := range map[string]string{
		"application/grpc+proto": "application/grpc+proto",
		"application/protobuf":   "application/grpc+proto",
		"application/json":       "application/grpc+json",
	} {
		var rsp wrapperspb.StringValue
		req := c.NewRequest("echo", "Echo.Say", wrapperspb.String("x"), client.WithContentType(contentType))
		if err := c.Call(ctx, req, &rsp); err != nil || rsp.Value != "x" {
			t.Fatal(rsp.Value, err)
		}
		if got := header.Get("content-type"); !slices.Equal(got, []string{onWire}) {
			t.Errorf("%s travels as %q, want %q", contentType, got, onWire)
		}
	}
	if path != "/echo.Echo/Say" {
		t.Errorf("got path %q", path)
	}
	if !bounded {
		t.Error("the deadline did not travel")
	}
	if got := header.Get("micro-from-service"); !slices.Equal(got, []string{"me"}) {
		t.Errorf("got micro-from-service %q", got)
	}
	if dropped := &c.(*grpcClient).dropped; dropped.First("Bad Key") || !dropped.First("Timeout") || !dropped.First("X-Content-Type") {
		t.Error("warned of other names than of the one that cannot be sent")
	}
	for _, key := range []string{"timeout", "x-content-type", "remote", "bad key"} {
		if got := header.Get(key); got != nil {
			t.Errorf("%s was sent: %q", key, got)
		}
	}
}

func TestMetadataBothWays(t *testing.T) {
	n := serve(t, func(ctx context.Context, p string, decode func(any) error) (any, error) {
		v, _ := metadata.Metadata(rpc.Incoming(ctx).Metadata()).Get("x-text")
		return wrapperspb.String(v), nil
	})
	c := newClient(t, client.Registry(register(t, service("echo", n))))
	for _, want := range []string{"plain", "服务", "100% 服务 %E6", "a\nb"} {
		ctx := metadata.NewContext(t.Context(), metadata.Metadata{"X-Text": want})
		if got, err := say(ctx, c, ""); err != nil || got != want {
			t.Errorf("sent %q, came as %q, %v", want, got, err)
		}
	}
}

func TestUnsupportedContentType(t *testing.T) {
	n := serve(t, echo)
	c := newClient(t, client.Registry(register(t, service("echo", n))))
	err := c.Call(t.Context(), c.NewRequest("echo", "Echo.Say", "x", client.WithContentType("text/plain")), new(string))
	if e := fault(t, err); e.Code != 500 || e.Detail != "Unsupported Content-Type: text/plain" {
		t.Errorf("got %v", err)
	}
}

func TestErrorsOfAServer(t *testing.T) {
	detailed, err := status.New(codes.NotFound, "100% error %d here").WithDetails(&errdetails.BadRequest{})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		sent   error
		code   int32
		id     string
		detail string
	}{
		{detailed.Err(), 404, "go.micro.client", "100% error %d here"},
		{status.Error(codes.Unimplemented, "no such thing"), 501, "go.micro.client", "no such thing"},
		{status.Error(codes.DataLoss, "lost"), 500, "go.micro.client", "lost"},
		{stderrors.New("plain 100% error"), 500, "go.micro.client", "plain 100% error"},
	} {
		n := serve(t, func(context.Context, string, func(any) error) (any, error) { return nil, tt.sent })
		c := newClient(t, client.Registry(register(t, service("echo", n))))
		_, err := say(t.Context(), c, "x")
		if e := fault(t, err); e.Code != tt.code || e.Id != tt.id || e.Detail != tt.detail {
			t.Errorf("%v came as %v", tt.sent, e)
		}
		if got := n.calls.Load(); got != 1 {
			t.Errorf("%v was answered %d times", tt.sent, got)
		}
	}

	n := serve(t, echo)
	c := newClient(t, client.Registry(register(t, service("echo", n))))
	_, err = say(t.Context(), c, "404 is not here")
	if e := fault(t, err); e.Code != 404 || e.Id != "my.id" || e.Detail != "404 is not here" || e.Status != "Not Found" {
		t.Errorf("got %v", e)
	}
}

func TestMessageTooLarge(t *testing.T) {
	n := serve(t, echo)
	r := register(t, service("echo", n))
	big := strings.Repeat("x", 2000)
	for option, c := range map[string]client.Client{
		"MaxSendMsgSize": newClient(t, client.Registry(r), MaxSendMsgSize(1000)),
		"MaxRecvMsgSize": newClient(t, client.Registry(r), MaxRecvMsgSize(1000)),
	} {
		_, err := say(t.Context(), c, big)
		if e := fault(t, err); e.Code != 500 || !strings.Contains(e.Detail, option) {
			t.Errorf("%s: got %v", option, e)
		}
		mustSay(t, c, big, CallOptions(maxSizes(5000)...))
		mustSay(t, c, "small")
	}
}

func TestNoNode(t *testing.T) {
	n := serve(t, echo)
	c := newClient(t, client.Registry(register(t, service("echo", n))))
	for _, tt := range []struct {
		service  string
		opts     []client.CallOption
		begins   string
		contains string
		is       []error
	}{
		{"ecko", nil, "service ecko: not found", "never seen", []error{selector.ErrNotFound, registry.ErrNotFound}},
		{"", nil, "service : not found", "names no service", []error{selector.ErrNotFound, registry.ErrNotFound}},
		{"echo", []client.CallOption{client.WithSelectOption(selector.WithFilter(selector.FilterVersion("2")))},
			"error selecting echo node: none available", `versions ["1"]`, []error{selector.ErrNoneAvailable}},
	} {
		begun := time.Now()
		err := c.Call(t.Context(), c.NewRequest(tt.service, "Echo.Say", wrapperspb.String("x")), &wrapperspb.StringValue{}, tt.opts...)
		if took := time.Since(begun); took > 2*time.Second {
			t.Errorf("%q: took %v", tt.service, took)
		}
		e := fault(t, err)
		if e.Code != 500 || !strings.HasPrefix(e.Detail, tt.begins) || !strings.Contains(e.Detail, tt.contains) {
			t.Errorf("%q: got %v", tt.service, e)
		}
		for _, target := range tt.is {
			if !stderrors.Is(err, target) {
				t.Errorf("%q: %v is not %q", tt.service, err, target)
			}
		}
	}
}

func TestDefaultRegistryFailsAtOnce(t *testing.T) {
	c := newClient(t)
	_, err := say(t.Context(), c, "x")
	if e := fault(t, err); e.Code != 500 || !strings.Contains(e.Detail, "micro/registry/mdns") || !stderrors.Is(err, registry.ErrNoRegistry) {
		t.Errorf("got %v", err)
	}
}

func TestCallWrappers(t *testing.T) {
	n := serve(t, echo)
	var order []string
	wrapper := func(name string) client.CallWrapper {
		return func(next client.CallFunc) client.CallFunc {
			return func(ctx context.Context, at *registry.Node, req client.Request, rsp any, opts client.CallOptions) error {
				order = append(order, fmt.Sprintf("%s %v", name, at.Address == n.Address))
				return next(ctx, at, req, rsp, opts)
			}
		}
	}
	c := newClient(t, client.Registry(register(t, service("echo", n))), client.WrapCall(wrapper("a"), wrapper("b")))
	mustSay(t, c, "x", client.WithCallWrapper(wrapper("c")))
	mustSay(t, c, "x")
	if want := []string{"a true", "b true", "c true", "a true", "b true"}; !slices.Equal(order, want) {
		t.Errorf("got %q, want %q", order, want)
	}
}

type prefixed struct {
	client.Client
	name string
	log  *[]string
}

func (p prefixed) Call(ctx context.Context, req client.Request, rsp any, opts ...client.CallOption) error {
	*p.log = append(*p.log, p.name)
	return p.Client.Call(ctx, req, rsp, opts...)
}

func TestClientWrappers(t *testing.T) {
	n := serve(t, echo)
	var log []string
	wrapper := func(name string) client.Option {
		return client.Wrap(func(c client.Client) client.Client { return prefixed{c, name, &log} })
	}
	c := NewClient(client.Registry(register(t, service("echo", n))), wrapper("first"), wrapper("second"))
	defer c.(prefixed).Client.(prefixed).Client.(*grpcClient).Close()
	mustSay(t, c, "x")
	if want := []string{"first", "second"}; !slices.Equal(log, want) {
		t.Errorf("got %q, want %q", log, want)
	}
}

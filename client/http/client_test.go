package http

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/rollcall-go/micro/client"
	"github.com/rollcall-go/micro/client/selector"
	microerrors "github.com/rollcall-go/micro/errors"
	"github.com/rollcall-go/micro/metadata"
	"github.com/rollcall-go/micro/registry"
)

type greeting struct {
	Text string `json:"greeting_text"`
}

func newClient(t *testing.T, r registry.Registry, opts ...client.Option) client.Client {
	t.Helper()
	c := NewClient(append([]client.Option{client.Registry(r), client.ContentType("application/json")}, opts...)...)
	t.Cleanup(func() {
		if closer, ok := c.(io.Closer); ok {
			_ = closer.Close()
		}
	})
	return c
}

func TestACallIsAPost(t *testing.T) {
	r := newMemory(t)
	serve(t, r, func(w http.ResponseWriter, req *http.Request) {
		body, _ := io.ReadAll(req.Body)
		if req.Method != http.MethodPost || req.URL.Path != "/greeter/hello" || req.Header.Get("Content-Type") != "application/json" ||
			req.Header.Get("X-Tenant") != "7" || req.Header.Get("Timeout") == "" || string(body) != `{"greeting_text":"Jo"}` {
			t.Errorf("got %s %s %v %s", req.Method, req.URL, req.Header, body)
		}
		fmt.Fprint(w, `{"greeting_text":"hello Jo"}`)
	}, map[string]string{"protocol": "http"})
	c := newClient(t, r)
	ctx := metadata.NewContext(t.Context(), metadata.Metadata{"X-Tenant": "7"})
	for _, path := range []string{"/greeter/hello", "greeter/hello"} {
		var out greeting
		if err := c.Call(ctx, c.NewRequest(name, path, &greeting{"Jo"}), &out); err != nil || out.Text != "hello Jo" {
			t.Errorf("answered %+v, %v", out, err)
		}
	}
	if c.String() != "http" || c.Options().ContentType != "application/json" {
		t.Errorf("it is %s with %s", c, c.Options().ContentType)
	}
}

func TestACallInProtobuf(t *testing.T) {
	r := newMemory(t)
	serve(t, r, func(w http.ResponseWriter, req *http.Request) {
		body, _ := io.ReadAll(req.Body)
		var in wrapperspb.StringValue
		if err := proto.Unmarshal(body, &in); err != nil || in.Value != "Jo" {
			t.Errorf("got %v, %v", &in, err)
		}
		_, _ = w.Write(body)
	}, nil)
	c := newClient(t, r)
	out := new(wrapperspb.StringValue)
	for _, contentType := range []string{"application/proto", "application/protobuf", "application/octet-stream"} {
		err := c.Call(t.Context(), c.NewRequest(name, "/", wrapperspb.String("Jo"), client.WithContentType(contentType)), out)
		if err != nil || out.Value != "Jo" {
			t.Errorf("%s: answered %v, %v", contentType, out, err)
		}
	}
}

func TestAnswersThatAreErrors(t *testing.T) {
	for body, want := range map[string]microerrors.Error{
		"no such page\n": {Code: 404, Detail: "no such page", Id: "go.micro.client"},
		"":               {Code: 404, Detail: "404 Not Found", Id: "go.micro.client"},
		microerrors.Forbidden("shop", "not yours").Error(): {Code: 403, Detail: "not yours", Id: "shop"},
	} {
		r := newMemory(t)
		serve(t, r, func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusNotFound)
			fmt.Fprint(w, body)
		}, nil)
		c := newClient(t, r)
		err := c.Call(t.Context(), c.NewRequest(name, "/", &greeting{}), &greeting{})
		var e *microerrors.Error
		if !errors.As(err, &e) || e.Code != want.Code || e.Detail != want.Detail || e.Id != want.Id {
			t.Errorf("%q: got %v, want %v", body, err, &want)
		}
	}
}

func TestCallsThatGoNowhere(t *testing.T) {
	r := newMemory(t)
	c := newClient(t, r)
	req := c.NewRequest(name, "/", &greeting{})
	var e *microerrors.Error
	if err := c.Call(t.Context(), req, &greeting{}); !errors.Is(err, selector.ErrNotFound) || !errors.As(err, &e) || e.Code != 500 || !strings.HasPrefix(e.Detail, "service "+name+": ") {
		t.Errorf("nobody has the service: %v", err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := c.Call(ended, req, &greeting{}); !errors.Is(err, context.Canceled) || !errors.As(err, &e) || e.Code != 408 {
		t.Errorf("the context has ended: %v", err)
	}
	if err := c.Call(t.Context(), nil, nil); err == nil {
		t.Error("no request is one")
	}
	if err := c.Call(t.Context(), c.NewRequest(name, "/", 1, client.WithContentType("text/x")), &greeting{}); err == nil {
		t.Error("a content type that nobody knows")
	}
	if _, err := c.Stream(t.Context(), req); !errors.As(err, &e) || e.Code != 501 {
		t.Errorf("a stream: %v", err)
	}
}

// Wrappers see each attempt, with its node, and an address stands for a lookup.
func TestWrappersAndAddresses(t *testing.T) {
	r := newMemory(t)
	s := serve(t, r, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{}`) }, nil)
	var nodes []string
	c := newClient(t, newMemory(t), client.WrapCall(func(next client.CallFunc) client.CallFunc {
		return func(ctx context.Context, n *registry.Node, req client.Request, rsp any, o client.CallOptions) error {
			nodes = append(nodes, n.Address)
			return next(ctx, n, req, rsp, o)
		}
	}))
	address := s.Listener.Addr().String()
	if err := c.Call(t.Context(), c.NewRequest(name, "/", &greeting{}), &greeting{}, client.WithAddress(dead(t), address)); err != nil {
		t.Error(err)
	}
	if len(nodes) != 2 || nodes[1] != address {
		t.Errorf("attempts at %q", nodes)
	}
}

package rpc_test

import (
	"context"
	"maps"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	grpcmd "google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"

	"github.com/rollcall-go/micro/internal/rpc"
	"github.com/rollcall-go/micro/metadata"
)

// arrive returns a server's context for what a client's context sends.
func arrive(t *testing.T, out context.Context) context.Context {
	t.Helper()
	md, _ := grpcmd.FromOutgoingContext(out)
	return grpcmd.NewIncomingContext(t.Context(), md)
}

func TestHeadersThereAndBack(t *testing.T) {
	sent := metadata.Metadata{
		"X-Foo":              "Bar",
		"Micro-From-Service": "go.micro.客户",
		"X-Percent":          "100%",
		"X-Control":          "a\nb%",
		"X-Bin-Bin":          "\x00\xff",
		"X-Empty":            "",
	}
	ctx, dropped := rpc.Outgoing(metadata.NewContext(t.Context(), sent))
	if dropped != nil {
		t.Errorf("dropped %q", dropped)
	}
	wire, _ := grpcmd.FromOutgoingContext(ctx)
	for key, values := range wire {
		for _, v := range values {
			if !strings.HasSuffix(key, "-bin") && strings.ContainsFunc(v, func(r rune) bool { return r < ' ' || r > '~' }) {
				t.Errorf("header %s goes out as %q", key, v)
			}
		}
	}
	if got := wire["x-percent"]; !slices.Equal(got, []string{"100%"}) {
		t.Errorf("x-percent goes out as %q: it is printable", got)
	}
	h := rpc.Incoming(arrive(t, ctx))
	got, _ := metadata.FromContext(metadata.NewContext(t.Context(), h.Metadata()))
	if !maps.Equal(got, sent) {
		t.Errorf("got %q, want %q", got, sent)
	}
}

func TestOutgoingWithoutMetadata(t *testing.T) {
	if ctx, dropped := rpc.Outgoing(t.Context()); ctx != t.Context() || dropped != nil {
		t.Error("a context without metadata was changed")
	}
	n := testing.AllocsPerRun(100, func() { rpc.Outgoing(context.Background()) })
	if n != 0 {
		t.Errorf("it takes %v allocations", n)
	}
}

func TestOutgoingKeepsWhatGrpcWasGiven(t *testing.T) {
	ctx := grpcmd.AppendToOutgoingContext(t.Context(), "x-own", "1")
	ctx, _ = rpc.Outgoing(metadata.NewContext(ctx, metadata.Metadata{"X-Foo": "2"}))
	wire, _ := grpcmd.FromOutgoingContext(ctx)
	if len(wire["x-own"]) != 1 || len(wire["x-foo"]) != 1 {
		t.Errorf("goes out: %v", wire)
	}
}

func TestOutgoingNamesThatDifferInCase(t *testing.T) {
	for range 50 { // a map is walked in another order each time
		ctx, _ := rpc.Outgoing(metadata.NewContext(t.Context(), metadata.Metadata{
			"x-request-id": "brought", "X-Request-ID": "own", "X-User-Id": "kept",
		}))
		wire, _ := grpcmd.FromOutgoingContext(ctx)
		if got := wire["x-request-id"]; !slices.Equal(got, []string{"own"}) || wire["x-user-id"] == nil {
			t.Fatalf("goes out: %v", wire)
		}
	}
}

func TestOutgoingLeavesOut(t *testing.T) {
	ctx, dropped := rpc.Outgoing(metadata.NewContext(t.Context(), metadata.Metadata{
		":authority": "a", "Content-Type": "b", "User-Agent": "c", "Te": "d", "Grpc-Timeout": "1S", "Grpc-Foo": "e",
		"Remote": "f", "Connection": "g", "Timeout": "1", "X-Content-Type": "h", "Rollcall-Encoded": "i",
		"bad key": "j", "": "k", "钥匙": "l", "X-Kept": "m",
	}))
	slices.Sort(dropped)
	if want := []string{"", "Bad Key", "钥匙"}; !slices.Equal(dropped, want) {
		t.Errorf("dropped %q, want %q", dropped, want)
	}
	wire, _ := grpcmd.FromOutgoingContext(ctx)
	if len(wire) != 1 || wire.Get("x-kept") == nil {
		t.Errorf("goes out: %v", wire)
	}
}

func TestIncoming(t *testing.T) {
	ctx := grpcmd.NewIncomingContext(t.Context(), grpcmd.MD{
		"x-multi":        {"a", "b"},
		"x-raw":          {"服务"}, // as v2's clients send it
		"x-text":         {"%41"},
		"x-broken":       {"%4", "%zz"},
		"timeout":        {"1500000000"},
		"content-type":   {"application/grpc+json"},
		"x-content-type": {"application/json"},

		rpc.EncodedHeader: {"x-broken, x-absent"},
	})
	ctx = peer.NewContext(ctx, &peer.Peer{Addr: &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 7}})
	h := rpc.Incoming(ctx)
	if h.ContentType != "application/grpc+json" || !h.HasTimeout || h.Timeout != 1500*time.Millisecond {
		t.Errorf("got %+v", h)
	}
	want := metadata.Metadata{
		"x-multi": "a, b", "x-raw": "服务", "x-text": "%41", "x-broken": "%4, %zz",
		"content-type": "application/grpc+json", "Remote": "192.0.2.1:7",
	}
	if !maps.Equal(h.Metadata(), want) {
		t.Errorf("metadata is %q, want %q", h.Metadata(), want)
	}
}

func TestIncomingTimeout(t *testing.T) {
	h := rpc.Incoming(grpcmd.NewIncomingContext(t.Context(), grpcmd.Pairs(rpc.TimeoutHeader, "3000000000")))
	if !h.HasTimeout || h.Timeout != 3*time.Second {
		t.Errorf("got %+v", h)
	}
	for _, bad := range []string{"", "-1", "1s", "99999999999999999999"} {
		h := rpc.Incoming(grpcmd.NewIncomingContext(t.Context(), grpcmd.Pairs(rpc.TimeoutHeader, bad)))
		if h.HasTimeout {
			t.Errorf("timeout %q was read as %v", bad, h.Timeout)
		}
		if len(h.Metadata()) != 0 {
			t.Errorf("timeout %q is in the metadata", bad)
		}
	}
}

package grpc_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	grpcmd "google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/rollcall-go/micro/codec/bytes"
	"github.com/rollcall-go/micro/errors"
	"github.com/rollcall-go/micro/internal/rpc"
	"github.com/rollcall-go/micro/internal/testkit/currentpb"
	"github.com/rollcall-go/micro/metadata"
	"github.com/rollcall-go/micro/server"
	sgrpc "github.com/rollcall-go/micro/server/grpc"
)

var statusNotFound = status.Error(codes.NotFound, "no such thing")

func clientCodec(t *testing.T, contentType string) grpc.CallOption {
	t.Helper()
	c, err := rpc.NewClientCodecs(nil).Find(contentType)
	if err != nil {
		t.Fatal(err)
	}
	return grpc.ForceCodecV2(c)
}

func TestPathsOfAHandler(t *testing.T) {
	f := start(t)
	in := &currentpb.SayRequest{Text: "hi", NumberOfTimes: 3}
	for _, path := range []string{"/Echo/Say", "/go.micro.test.Echo/Say", "/any.thing.Echo/Say", "/demo.v1.Echo/say"} {
		out := &currentpb.SayReply{}
		if err := f.conn.Invoke(t.Context(), path, in, out); err != nil {
			t.Errorf("%s: %v", path, err)
		} else if !proto.Equal(out.Asked, in) {
			t.Errorf("%s: got %v", path, out)
		}
	}
	out := &currentpb.SayReply{}
	if err := f.conn.Invoke(t.Context(), "/x.Echo/read_all", in, out); err != nil || out.Text != "all" {
		t.Errorf("read_all: %v, %v", out, err)
	}
}

func TestUnknownNames(t *testing.T) {
	f := start(t)
	for path, want := range map[string]string{
		"/x.Nope/Say":   "unknown service Nope",
		"/x.Echo/Nope":  "unknown service Echo.Nope",
		"/Echo./Say":    "malformed method name",
		"/Echo/Say/Now": "malformed method name",
	} {
		err := f.conn.Invoke(t.Context(), path, &currentpb.SayRequest{}, &currentpb.SayReply{})
		if !strings.Contains(status.Convert(err).Message(), want) {
			t.Errorf("%s: %v", path, err)
		}
		if want := strings.HasPrefix(want, "unknown"); (status.Code(err) == codes.Unimplemented) != want {
			t.Errorf("%s: code is %s", path, status.Code(err))
		}
	}
}

func TestContentTypes(t *testing.T) {
	f := start(t)
	for _, contentType := range []string{"application/grpc+proto", "application/grpc+json"} {
		var header grpcmd.MD
		got, err := f.say(t.Context(), "header content-type", clientCodec(t, contentType), grpc.Header(&header))
		if err != nil || got != contentType {
			t.Errorf("%s: the handler sees %q, %v", contentType, got, err)
		}
		if ct := header.Get("content-type"); len(ct) != 1 || ct[0] != contentType {
			t.Errorf("%s: the reply has %q", contentType, ct)
		}
	}
	_, err := f.say(t.Context(), "hi", grpc.CallContentSubtype("foo"), grpc.ForceCodecV2(rpc.Proto))
	if e := rpc.FromStatus(err).(*errors.Error); e.Code != 500 || e.Detail != "Unsupported Content-Type: application/grpc+foo" {
		t.Errorf("an unknown content type: %v", err)
	}
}

func TestJSONReplyHasTheNamesOfTheProtoFile(t *testing.T) {
	f := start(t)
	out := &bytes.Frame{}
	in := &bytes.Frame{Data: []byte(`{"text":"hi","numberOfTimes":"3","host_name":"h"}`)}
	if err := f.conn.Invoke(t.Context(), "/Echo/Say", in, out, clientCodec(t, "application/json")); err != nil {
		t.Fatal(err)
	}
	want := `{"text":"hi","asked":{"text":"hi","number_of_times":"3","host_name":"h"}}`
	if string(out.Data) != want {
		t.Errorf("got %s, want %s", out.Data, want)
	}
	in.Data = []byte(`{"text":`)
	if err := f.conn.Invoke(t.Context(), "/Echo/Say", in, out, clientCodec(t, "application/json")); status.Code(err) != codes.Internal {
		t.Errorf("truncated JSON: %v", err)
	}
}

// Raw has methods without protobuf.
type Raw struct{}

type Pair struct{ Left, Right string }

func (Raw) Frame(_ context.Context, in *bytes.Frame, out *bytes.Frame) error {
	out.Data = in.Data
	return nil
}
func (Raw) Bytes(_ context.Context, in *[]byte, out *[]byte) error {
	*out = *in
	return nil
}
func (Raw) Swap(_ context.Context, in Pair, out *Pair) error {
	out.Left, out.Right = in.Right, in.Left
	return nil
}

func TestBodiesWithoutProtobuf(t *testing.T) {
	f := newServer(t)
	if err := f.server.Handle(f.server.NewHandler(Raw{})); err != nil {
		t.Fatal(err)
	}
	f.start(t)
	in, out := []byte{0, 1, 0xff}, []byte(nil)
	if err := f.conn.Invoke(t.Context(), "/Raw/Bytes", &in, &out, clientCodec(t, "application/grpc+bytes")); err != nil || !slices.Equal(in, out) {
		t.Errorf("bytes: %x, %v", out, err)
	}
	for _, contentType := range []string{"application/grpc+proto", "application/json", "application/grpc+bytes"} {
		in, out := &bytes.Frame{Data: []byte("frame")}, &bytes.Frame{}
		if err := f.conn.Invoke(t.Context(), "/Raw/Frame", in, out, clientCodec(t, contentType)); err != nil || string(out.Data) != "frame" {
			t.Errorf("frame as %s: %q, %v", contentType, out.Data, err)
		}
	}
	var pair Pair
	if err := f.conn.Invoke(t.Context(), "/Raw/Swap", Pair{"l", "r"}, &pair, clientCodec(t, "application/json")); err != nil || pair != (Pair{"r", "l"}) {
		t.Errorf("swap: %v, %v", pair, err)
	}
}

func TestErrors(t *testing.T) {
	f := start(t)
	for _, c := range []struct {
		text    string
		code    codes.Code
		message string
		details int
	}{
		{"micro", codes.NotFound, `{"id":"my.id","code":404,"detail":"nope 7","status":"Not Found"}`, 1},
		{"wrapped", codes.AlreadyExists, `{"id":"my.id","code":409,"detail":"inside","status":"Conflict"}`, 1},
		{"plain", codes.Unknown, "plain 100% error", 0},
		{"status", codes.NotFound, "no such thing", 0},
		{"panic", codes.Internal, `{"id":"go.micro.server","code":500,"detail":"panic recovered: boom","status":"Internal Server Error"}`, 1},
	} {
		_, err := f.say(t.Context(), c.text)
		s := status.Convert(err)
		if s.Code() != c.code || s.Message() != c.message || len(s.Proto().GetDetails()) != c.details {
			t.Errorf("%s: got %v", c.text, s.Proto())
		}
	}
	if !f.log.has("level=error panic recovered: boom") || !f.log.has("fixture_test.go") {
		t.Errorf("the panic and where it was are not in the log:\n%s", f.log)
	}
	if got, err := f.say(t.Context(), "still"); err != nil || got != "still" {
		t.Errorf("after a panic: %q, %v", got, err)
	}
}

func TestSizeLimit(t *testing.T) {
	f := start(t, sgrpc.MaxMsgSize(1000), sgrpc.Options(grpc.MaxSendMsgSize(5000)))
	big := func(n int64) (*currentpb.SayReply, error) {
		out := &currentpb.SayReply{}
		return out, f.conn.Invoke(t.Context(), "/Echo/Say", &currentpb.SayRequest{Text: "big", NumberOfTimes: n}, out)
	}
	if out, err := big(997); err != nil || len(out.Text) != 997 {
		t.Errorf("a response of 1000 bytes: %v", err)
	}
	if _, err := big(998); status.Code(err) != codes.ResourceExhausted || !strings.Contains(err.Error(), "MaxMsgSize") {
		t.Errorf("a response of 1001 bytes: %v", err)
	}
	in := &currentpb.SayRequest{Text: strings.Repeat("x", 1000)}
	if err := f.conn.Invoke(t.Context(), "/Echo/Say", in, &currentpb.SayReply{}); status.Code(err) != codes.ResourceExhausted {
		t.Errorf("a request over the limit: %v", err)
	}
}

func TestSizeLimitOfGrpcItself(t *testing.T) {
	f := start(t, sgrpc.Options(grpc.MaxSendMsgSize(5000)))
	in := &currentpb.SayRequest{Text: "big", NumberOfTimes: 6000}
	if err := f.conn.Invoke(t.Context(), "/Echo/Say", in, &currentpb.SayReply{}); status.Code(err) != codes.ResourceExhausted {
		t.Errorf("got %v", err)
	}
}

func TestMetadata(t *testing.T) {
	f := start(t)
	ctx, _ := rpc.Outgoing(metadata.NewContext(t.Context(), metadata.Metadata{"X-Encoded": "服务 100%"}))
	ctx = grpcmd.AppendToOutgoingContext(ctx, "x-multi", "a", "x-multi", "b")
	for key, want := range map[string]string{"X-Encoded": "服务 100%", "X-Multi": "a, b", "x-multi": "a, b", "Rollcall-Encoded": ""} {
		if got, err := f.say(ctx, "header "+key); err != nil || got != want {
			t.Errorf("%s is %q, %v, want %q", key, got, err, want)
		}
	}
	got, err := f.say(ctx, "headers")
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{":Authority:", "Content-Type:", "User-Agent:", "Remote:127.0.0.1:"} {
		if !strings.Contains(got, key) {
			t.Errorf("the handler does not see %s in %s", key, got)
		}
	}
}

func TestTimeoutHeader(t *testing.T) {
	f := start(t)
	if got, err := f.say(t.Context(), "deadline"); err != nil || got != "" {
		t.Errorf("without a deadline the handler has %q, %v", got, err)
	}
	if got, err := f.say(grpcmd.AppendToOutgoingContext(t.Context(), rpc.TimeoutHeader, "60000000000"), "deadline"); err != nil || got != "1m0s" {
		t.Errorf("the handler has %q, %v", got, err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if got, err := f.say(grpcmd.AppendToOutgoingContext(ctx, rpc.TimeoutHeader, "3600000000000"), "deadline"); err != nil || got != "1m0s" {
		t.Errorf("of two deadlines the handler has %q, %v", got, err)
	}
}

func TestWrappers(t *testing.T) {
	var order []string
	var seen server.Request
	wrap := func(name string) server.Option {
		return server.WrapHandler(func(next server.HandlerFunc) server.HandlerFunc {
			return func(ctx context.Context, req server.Request, rsp any) error {
				order = append(order, name)
				seen = req
				err := next(ctx, req, rsp)
				order = append(order, fmt.Sprintf("%s(%v)", name, err != nil))
				return err
			}
		})
	}
	f := start(t, wrap("a"), wrap("b"))
	if _, err := f.say(t.Context(), "hi"); err != nil {
		t.Fatal(err)
	}
	if got, want := strings.Join(order, " "), "a b b(false) a(false)"; got != want {
		t.Errorf("order is %s, want %s", got, want)
	}
	if seen.Service() != "go.micro.test" || seen.Method() != "Echo.Say" || seen.Endpoint() != "Echo.Say" ||
		seen.ContentType() != "application/grpc" || seen.Header() != nil || seen.Stream() ||
		seen.Body().(*currentpb.SayRequest).Text != "hi" {
		t.Errorf("the request is %+v", seen)
	}
	if b, err := seen.Read(); err != nil || string(b) != "\n\x02hi" {
		t.Errorf("the request reads as %q, %v", b, err)
	}
	order = nil
	if _, err := f.say(t.Context(), "panic"); err == nil {
		t.Error("a panic was no error")
	}
	if got, want := strings.Join(order, " "), "a b b(true) a(true)"; got != want {
		t.Errorf("with a panic, order is %s, want %s", got, want)
	}
}

func TestPanicInAWrapper(t *testing.T) {
	f := start(t, server.WrapHandler(func(server.HandlerFunc) server.HandlerFunc {
		return func(context.Context, server.Request, any) error { panic("wrapper") }
	}))
	_, err := f.say(t.Context(), "hi")
	if e := rpc.FromStatus(err).(*errors.Error); e.Code != 500 || e.Id != "go.micro.server" || e.Detail != "panic recovered: wrapper" {
		t.Errorf("got %v", err)
	}
}

func BenchmarkUnary(b *testing.B) {
	f := start(b)
	in, out := &currentpb.SayRequest{Text: "hi"}, &currentpb.SayReply{}
	b.ReportAllocs()
	for b.Loop() {
		if err := f.conn.Invoke(b.Context(), "/Echo/ReadAll", in, out); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkStandard is the same work by grpc's own means.
func BenchmarkStandard(b *testing.B) {
	f := newServer(b)
	currentpb.RegisterEchoServer(f.server.(grpc.ServiceRegistrar), standard{})
	f.start(b)
	in, out := &currentpb.SayRequest{Text: "hi"}, &currentpb.SayReply{}
	b.ReportAllocs()
	for b.Loop() {
		if err := f.conn.Invoke(b.Context(), "/rollcall.test.current.Echo/Say", in, out); err != nil {
			b.Fatal(err)
		}
	}
}

// nothing is an error whose text cannot be had of a nil pointer.
type nothing struct{ text string }

func (n *nothing) Error() string { return n.text }

// fine is an error that says of itself that there is none.
type fine struct{}

func (fine) Error() string              { return "not fine" }
func (fine) GRPCStatus() *status.Status { return status.New(codes.OK, "") }

// Odd returns errors that are hard to send.
type Odd struct{}

func (Odd) Nil(context.Context, *currentpb.SayRequest, *currentpb.SayReply) error {
	var err *nothing
	return err
}

func (Odd) Fine(context.Context, *currentpb.SayRequest, *currentpb.SayReply) error { return fine{} }

func TestErrorsThatAreHardToSend(t *testing.T) {
	f := newServer(t)
	if err := f.server.Handle(f.server.NewHandler(Odd{})); err != nil {
		t.Fatal(err)
	}
	f.start(t)
	for path, want := range map[string]struct {
		code codes.Code
		text string
	}{
		"/Odd/Nil":  {codes.Internal, "panic recovered: runtime error"},
		"/Odd/Fine": {codes.Unknown, "not fine"},
	} {
		err := f.conn.Invoke(t.Context(), path, &currentpb.SayRequest{}, &currentpb.SayReply{})
		if status.Code(err) != want.code || !strings.Contains(status.Convert(err).Message(), want.text) {
			t.Errorf("%s: got %v, want %v", path, err, want)
		}
	}
}

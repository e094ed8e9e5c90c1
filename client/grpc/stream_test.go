package grpc

import (
	"context"
	stderrors "errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	grpcmd "google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/rollcall-go/micro/client"
	"github.com/rollcall-go/micro/codec"
	"github.com/rollcall-go/micro/codec/bytes"
	"github.com/rollcall-go/micro/errors"
	"github.com/rollcall-go/micro/internal/rpc"
	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/metadata"
	"github.com/rollcall-go/micro/registry"
)

// talk answers each message of a stream with itself, a message that begins with
// three digits with an error of that code, and "many" with messages of 16 KiB without
// end.
func talk(_ context.Context, in *wrapperspb.StringValue, send func(string) error) error {
	switch {
	case strings.HasPrefix(in.Value, "404"):
		return errors.NotFound("my.id", "%s", in.Value)
	case in.Value == "many":
		for {
			if err := send(strings.Repeat("x", 16<<10)); err != nil {
				return err
			}
		}
	}
	return send(in.Value)
}

// serveTalk runs a server of streams until the test ends.
func serveTalk(t testing.TB, answer func(context.Context, *wrapperspb.StringValue, func(string) error) error, opts ...grpc.ServerOption) *node {
	t.Helper()
	return serveStreams(t, func(stream grpc.ServerStream, codec *rpc.Codec) error {
		send := func(v string) error { return stream.SendMsg(&rpc.Body{Codec: codec, Value: wrapperspb.String(v)}) }
		for {
			in := new(wrapperspb.StringValue)
			if err := stream.RecvMsg(&rpc.Body{Codec: codec, Value: in}); err == io.EOF {
				return nil
			} else if err != nil {
				return err
			}
			if err := answer(stream.Context(), in, send); err != nil {
				return err
			}
		}
	}, opts...)
}

// open opens a stream of Echo.Talk of the service "echo".
func open(t testing.TB, ctx context.Context, c client.Client, opts ...client.CallOption) client.Stream {
	t.Helper()
	st, err := c.Stream(ctx, c.NewRequest("echo", "Echo.Talk", nil), opts...)
	if err != nil {
		t.Fatal(err)
	}
	return st
}

// ask sends a message and returns the answer.
func askStream(st client.Stream, what string) (string, error) {
	if err := st.Send(wrapperspb.String(what)); err != nil {
		return "", err
	}
	var rsp wrapperspb.StringValue
	err := st.Recv(&rsp)
	return rsp.Value, err
}

func mustAsk(t testing.TB, st client.Stream, what string) {
	t.Helper()
	if got, err := askStream(st, what); err != nil || got != what {
		t.Fatalf("asked %q, got %q, %v", what, got, err)
	}
}

func TestStream(t *testing.T) {
	n := serveTalk(t, talk)
	c := newClient(t, client.Registry(register(t, service("echo", n))))
	for _, contentType := range []string{"application/grpc+proto", "application/json"} {
		st, err := c.Stream(t.Context(), c.NewRequest("echo", "Echo.Talk", nil, client.WithContentType(contentType)))
		if err != nil {
			t.Fatal(err)
		}
		for i := range 3 {
			mustAsk(t, st, fmt.Sprint("message ", i))
		}
		if err := client.CloseSend(st); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if err := st.Recv(new(wrapperspb.StringValue)); err != io.EOF {
				t.Errorf("%s: at the end: %v", contentType, err)
			}
		}
		if st.Error() != nil || st.Context().Err() == nil {
			t.Errorf("%s: at the end the error is %v, that of the context %v", contentType, st.Error(), st.Context().Err())
		}
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	}
	testkit.Eventually(t, 30*time.Second, "no stream is left", func() bool { return n.open.Load() == 1 && calls(c) == 0 })
	if got := n.conns.Load(); got > 2 { // the node is asked on another if it seems silent
		t.Errorf("%d connections", got)
	}
}

// calls returns how many calls of the client are in flight.
func calls(c client.Client) int64 { return c.(*grpcClient).current.Load().backends.calls.Load() }

// Twenty streams and a call share the connection to a node, also while they rest.
func TestStreamsShareTheConnection(t *testing.T) {
	n := serveTalk(t, talk)
	c := newClient(t, client.Registry(register(t, service("echo", n))))
	streams := make([]client.Stream, 20)
	for i := range streams {
		streams[i] = open(t, t.Context(), c)
		mustAsk(t, streams[i], "x")
	}
	testkit.Elapse(t, 2*time.Second) // long enough for a node to be taken for silent
	for _, st := range streams {
		mustAsk(t, st, "x")
		st.Close()
	}
	if got := n.conns.Load(); got > 2 { // the node is asked on another if it seems silent
		t.Errorf("%d connections", got)
	}
}

func TestErrorsOfAStream(t *testing.T) {
	n := serveTalk(t, talk, grpc.MaxRecvMsgSize(1000))
	c := newClient(t, client.Registry(register(t, service("echo", n))), MaxRecvMsgSize(500), MaxSendMsgSize(2000))
	for what, want := range map[string]struct {
		code   int32
		detail string
	}{
		"404 nope":                {404, "404 nope"},
		strings.Repeat("x", 600):  {500, "MaxRecvMsgSize of client/grpc for an answer"},
		strings.Repeat("x", 1100): {500, "MaxMsgSize of server/grpc for a request"},
		strings.Repeat("x", 2100): {500, "MaxSendMsgSize of client/grpc"},
	} {
		st := open(t, t.Context(), c)
		mustAsk(t, st, "x")
		_, err := askStream(st, what)
		if e := fault(t, err); e.Code != want.code || !strings.Contains(e.Detail, want.detail) {
			t.Errorf("%.10q: %v", what, err)
		}
		if again := st.Recv(new(wrapperspb.StringValue)); fault(t, again).Code == 0 || st.Error() == nil {
			t.Errorf("%.10q: afterwards %v, %v", what, again, st.Error())
		}
	}
	if _, err := c.Stream(t.Context(), nil); fault(t, err).Detail != "req is nil" {
		t.Errorf("no request: %v", err)
	}
	if _, err := c.Stream(t.Context(), c.NewRequest("nobody", "Echo.Talk", nil)); fault(t, err).Code != 500 || !strings.Contains(err.Error(), "not found") {
		t.Errorf("no such service: %v", err)
	}
	if _, err := c.Stream(t.Context(), c.NewRequest("echo", "Echo.Talk", nil, client.WithContentType("a/b"))); !strings.Contains(fault(t, err).Detail, "Unsupported Content-Type") {
		t.Errorf("an unknown content type: %v", err)
	}
}

// A server that ends a stream while the client sends: the client learns why from Send,
// and nothing that was sent before is lost.
func TestSendSaysWhyTheServerEndedTheStream(t *testing.T) {
	n := serveTalk(t, func(_ context.Context, in *wrapperspb.StringValue, send func(string) error) error {
		for i := range 3 {
			if err := send(fmt.Sprint(i)); err != nil {
				return err
			}
		}
		if in.Value == "well" {
			return io.EOF // see serveStreams
		}
		return errors.Conflict("my.id", "enough")
	})
	c := newClient(t, client.Registry(register(t, service("echo", n))))
	for _, what := range []string{"well", "badly"} {
		st := open(t, t.Context(), c)
		var err error
		testkit.Eventually(t, 30*time.Second, "the stream ends", func() bool {
			err = st.Send(wrapperspb.String(what))
			return err != nil
		})
		if what == "well" && err != io.EOF || what == "badly" && fault(t, err).Detail != "enough" {
			t.Errorf("%s: %v", what, err)
		}
		for i := range 3 {
			var rsp wrapperspb.StringValue
			if err := st.Recv(&rsp); err != nil || rsp.Value != fmt.Sprint(i) {
				t.Errorf("%s: message %d: %q, %v", what, i, rsp.Value, err)
			}
		}
		if last := st.Recv(new(wrapperspb.StringValue)); last != err {
			t.Errorf("%s: at the end: %v", what, last)
		}
	}
}

// What is kept of a stream that has ended may not be what the program expects: it then
// gets the error that it would have got in time.
func TestAMessageThatWasKeptCannotBeDecoded(t *testing.T) {
	n := serveTalk(t, func(_ context.Context, _ *wrapperspb.StringValue, send func(string) error) error {
		if err := send("x"); err != nil {
			return err
		}
		return errors.Conflict("my.id", "enough")
	})
	c := newClient(t, client.Registry(register(t, service("echo", n))))
	st := open(t, t.Context(), c)
	testkit.Eventually(t, 30*time.Second, "the stream ends", func() bool { return st.Send(wrapperspb.String("x")) != nil })
	for range 2 {
		if e := fault(t, st.Recv(new(int))); e.Code != 500 || !strings.Contains(e.Detail, "decode the answer of") {
			t.Errorf("got %v", e)
		}
	}
}

func TestDeadlinesOfAStream(t *testing.T) {
	n := serveTalk(t, talk)
	c := newClient(t, client.Registry(register(t, service("echo", n))), client.RequestTimeout(2*time.Second))
	long := open(t, t.Context(), c, client.WithRequestTimeout(2*time.Second))
	if _, bounded := long.Context().Deadline(); bounded {
		t.Error("the timeout of calls bounds a stream")
	}
	for what, timeouts := range map[string][2]time.Duration{ // of the context and of the stream
		"its own timeout": {time.Hour, 1500 * time.Millisecond}, "the context's": {1500 * time.Millisecond, time.Hour},
	} {
		ctx, cancel := context.WithTimeout(t.Context(), timeouts[0])
		defer cancel()
		st := open(t, ctx, c, client.WithStreamTimeout(timeouts[1]))
		err := st.Recv(new(wrapperspb.StringValue))
		if e := fault(t, err); e.Code != 408 || !stderrors.Is(err, context.DeadlineExceeded) || !strings.HasPrefix(e.Detail, "context deadline exceeded") {
			t.Errorf("%s: %v", what, err)
		}
	}
	mustAsk(t, long, "x") // also after more than the timeout of calls
	long.Close()

	ctx, cancel := context.WithCancel(t.Context())
	st := open(t, ctx, c)
	cancel()
	if err := st.Recv(new(wrapperspb.StringValue)); fault(t, err).Code != 408 || !stderrors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	if _, err := c.Stream(ctx, c.NewRequest("echo", "Echo.Talk", nil)); fault(t, err).Code != 408 {
		t.Errorf("cancelled before: %v", err)
	}
	st = open(t, t.Context(), c)
	st.Close()
	if _, err := askStream(st, "x"); fault(t, err).Code != 408 {
		t.Errorf("closed: %v", err)
	}
	testkit.Eventually(t, 30*time.Second, "no stream is left", func() bool { return calls(c) == 0 })
}

// A node that cannot be reached costs a stream no more than a call.
func TestOpeningAStreamGoesElsewhere(t *testing.T) {
	dead := serveTalk(t, talk)
	dead.server.Stop()
	n := serveTalk(t, talk)
	c := newClient(t, client.Registry(register(t, service("echo", dead, n))))
	for range 10 {
		st := open(t, t.Context(), c)
		mustAsk(t, st, "x")
		st.Close()
	}
	alone := newClient(t, client.Registry(register(t, service("echo", dead))))
	if _, err := alone.Stream(t.Context(), alone.NewRequest("echo", "Echo.Talk", nil)); fault(t, err).Code != 500 || !strings.Contains(err.Error(), dead.Address) {
		t.Errorf("no node is left: %v", err)
	}
	p := testkit.StartProxy(t, n.Address)
	p.Blackhole()
	begun := time.Now()
	_, err := c.Stream(t.Context(), c.NewRequest("echo", "Echo.Talk", nil), client.WithAddress(p.Addr()), client.WithRequestTimeout(300*time.Millisecond), client.WithRetries(0))
	if e := fault(t, err); e.Code != 408 || time.Since(begun) > 15*time.Second {
		t.Errorf("a node that says nothing: %v after %v", err, time.Since(begun))
	}
}

func TestCallWrappersOfAStream(t *testing.T) {
	n := serveTalk(t, func(ctx context.Context, in *wrapperspb.StringValue, send func(string) error) error {
		md, _ := grpcmd.FromIncomingContext(ctx)
		return send(strings.Join(md.Get(in.Value), " "))
	})
	var saw []string
	wrapper := func(name string) client.CallWrapper {
		return func(next client.CallFunc) client.CallFunc {
			return func(ctx context.Context, node *registry.Node, req client.Request, rsp any, opts client.CallOptions) error {
				_, ok := rsp.(client.Stream)
				saw = append(saw, fmt.Sprint(name, " ", node.Address == n.Address, " ", req.Endpoint(), " ", ok))
				if err := rsp.(client.Stream).Send(nil); err == nil {
					t.Error("a stream was sent on that is not open")
				}
				return next(metadata.Set(ctx, "Wrapped", name), node, req, rsp, opts)
			}
		}
	}
	c := newClient(t, client.Registry(register(t, service("echo", n))), client.WrapCall(wrapper("a")))
	st := open(t, metadata.NewContext(t.Context(), metadata.Metadata{"Mine": "yes"}), c, client.WithCallWrapper(wrapper("b")))
	defer st.Close()
	for header, want := range map[string]string{"wrapped": "b", "mine": "yes"} {
		if got, err := askStream(st, header); err != nil || got != want {
			t.Errorf("%s: %q, %v", header, got, err)
		}
	}
	if got := strings.Join(saw, ", "); got != "a true Echo.Talk true, b true Echo.Talk true" {
		t.Errorf("the wrappers saw %s", got)
	}
	if got, _ := metadata.Get(st.Context(), "Mine"); got != "yes" {
		t.Errorf("the context of the stream has %q", got)
	}
	for what, wrap := range map[string]client.CallWrapper{
		"none": func(client.CallFunc) client.CallFunc {
			return func(context.Context, *registry.Node, client.Request, any, client.CallOptions) error { return nil }
		},
		"later": func(next client.CallFunc) client.CallFunc {
			return func(ctx context.Context, node *registry.Node, req client.Request, rsp any, opts client.CallOptions) error {
				if err := next(ctx, node, req, rsp, opts); err != nil {
					return err
				}
				return errors.Conflict("my.id", "after all")
			}
		},
	} {
		if _, err := c.Stream(t.Context(), c.NewRequest("echo", "Echo.Talk", nil), client.WithCallWrapper(wrap)); err == nil {
			t.Errorf("%s: a stream was opened", what)
		}
	}
	st.Close()
	testkit.Eventually(t, 30*time.Second, "no stream is left", func() bool { return calls(c) == 0 })
}

func TestUndecodedSideOfAStream(t *testing.T) {
	n := serveTalk(t, talk)
	c := newClient(t, client.Registry(register(t, service("echo", n))))
	st := open(t, t.Context(), c)
	defer st.Close()
	if err := st.Request().Codec().Write(&codec.Message{}, wrapperspb.String("x")); err != nil {
		t.Fatal(err)
	}
	want, err := rpc.Proto.Marshal(wrapperspb.String("x"))
	if err != nil {
		t.Fatal(err)
	}
	data, err := st.Response().Read()
	if err != nil || string(data) != string(want.Materialize()) {
		t.Errorf("got %q, %v", data, err)
	}
	if got := st.Response().Header()["content-type"]; got != "application/grpc+proto" {
		t.Errorf("the header has %q", got)
	}
	if err := st.Send(&bytes.Frame{Data: data}); err != nil {
		t.Fatal(err)
	}
	var rsp wrapperspb.StringValue
	m := &codec.Message{}
	if err := st.Response().Codec().ReadHeader(m, codec.Response); err != nil || m.Endpoint != "Echo.Talk" {
		t.Errorf("%v, %v", m, err)
	}
	if err := st.Response().Codec().ReadBody(&rsp); err != nil || rsp.Value != "x" {
		t.Errorf("got %q, %v", rsp.Value, err)
	}
}

// A client that does not read keeps the server from sending, whatever it would send.
func TestASlowReaderHoldsTheSenderUp(t *testing.T) {
	sent := make(chan int, 1<<20)
	n := serveTalk(t, func(ctx context.Context, _ *wrapperspb.StringValue, send func(string) error) error {
		for i := 0; ; i++ {
			if err := send(strings.Repeat("x", 1<<10)); err != nil {
				return err
			}
			sent <- i
		}
	})
	c := newClient(t, client.Registry(register(t, service("echo", n))))
	st := open(t, t.Context(), c)
	if err := st.Send(wrapperspb.String("many")); err != nil {
		t.Fatal(err)
	}
	before := -1
	testkit.Eventually(t, 20*time.Second, "the server waits", func() bool {
		testkit.Elapse(t, 100*time.Millisecond)
		now := len(sent)
		stuck := now == before && now > 0
		before = now
		return stuck
	})
	if before > 1<<10 {
		t.Errorf("the server sent %d KiB to a client that reads nothing", before)
	}
	for range 2 * before {
		if err := st.Recv(new(wrapperspb.StringValue)); err != nil {
			t.Fatal(err)
		}
	}
	st.Close()
}

// Streams that were dropped, cancelled, closed or half read leave nothing behind.
func TestAbandonedStreamsLeaveNothing(t *testing.T) {
	n := serveTalk(t, talk)
	c := newClient(t, client.Registry(register(t, service("echo", n))))
	mustAsk(t, open(t, t.Context(), c), "x")
	for i := range 1000 {
		switch i % 4 {
		case 0: // dropped
			mustAsk(t, open(t, t.Context(), c), "x")
		case 1: // cancelled
			ctx, cancel := context.WithCancel(t.Context())
			_ = open(t, ctx, c)
			cancel()
		case 2: // half read
			st := open(t, t.Context(), c)
			if _, err := askStream(st, "many"); err != nil {
				t.Fatal(err)
			}
			st.Close()
		case 3: // closed unused
			open(t, t.Context(), c).Close()
		}
	}
	testkit.Eventually(t, 30*time.Second, "no stream is left", func() bool {
		runtime.GC()
		return calls(c) == 0 && n.talking.Load() == 0
	})
	mustAsk(t, open(t, t.Context(), c), "x")
	// One, and those that are asked where a busy machine lets the node seem silent.
	if got := n.conns.Load(); got > 10 {
		t.Errorf("%d connections", got)
	}
}

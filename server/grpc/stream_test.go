package grpc_test

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
	"google.golang.org/grpc/codes"
	grpcmd "google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/rollcall-go/micro/codec/bytes"
	"github.com/rollcall-go/micro/errors"
	"github.com/rollcall-go/micro/internal/rpc"
	"github.com/rollcall-go/micro/internal/testkit/currentpb"
	"github.com/rollcall-go/micro/internal/testkit/talkpb"
	"github.com/rollcall-go/micro/metadata"
	"github.com/rollcall-go/micro/server"
	sgrpc "github.com/rollcall-go/micro/server/grpc"
)

// talking is the service Talk, for code of v2's generator.
type talking struct {
	ended chan error // what the receiving of Chat ended with; nil for nobody
}

var _ talkpb.TalkHandler = (*talking)(nil)

func (*talking) Count(ctx context.Context, in *currentpb.SayRequest, stream talkpb.Talk_CountStream) error {
	if who, ok := strings.CutPrefix(in.Text, "header "); ok {
		in.Text, _ = metadata.Get(ctx, who)
	}
	if who, ok := strings.CutPrefix(in.Text, "stream header "); ok {
		in.Text, _ = metadata.Get(stream.Context(), who)
	}
	for i := range in.NumberOfTimes {
		if err := stream.Send(&currentpb.SayReply{Text: fmt.Sprint(i, " ", in.Text)}); err != nil {
			return err
		}
	}
	return nil
}

func (*talking) Sum(_ context.Context, stream talkpb.Talk_SumStream) error {
	var all []string
	for {
		in, err := stream.Recv()
		if err == io.EOF {
			return stream.SendMsg(&currentpb.SayReply{Text: strings.Join(all, " ")})
		}
		if err != nil {
			return err
		}
		all = append(all, in.Text)
	}
}

func (h *talking) Chat(ctx context.Context, stream talkpb.Talk_ChatStream) (err error) {
	if h.ended != nil {
		defer func() { h.ended <- err }()
	}
	for {
		in, err := stream.Recv()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		switch kind, arg, _ := strings.Cut(in.Text, " "); kind {
		case "micro":
			return errors.NotFound("my.id", "%s", arg)
		case "panic":
			panic(arg)
		case "exit":
			runtime.Goexit()
		case "big":
			in.Text = strings.Repeat("x", int(in.NumberOfTimes))
		case "deadline":
			in.Text = ""
			if at, ok := ctx.Deadline(); ok {
				in.Text = time.Until(at).Round(time.Minute).String()
			}
		}
		if err := stream.Send(&currentpb.SayReply{Text: in.Text, Asked: in}); err != nil {
			return err
		}
	}
}

func startTalk(t testing.TB, h *talking, opts ...server.Option) *fixture {
	t.Helper()
	f := newServer(t, opts...)
	if err := talkpb.RegisterTalkHandler(f.server, h); err != nil {
		t.Fatal(err)
	}
	return f.start(t)
}

// open opens a stream of Talk by hand.
func (f *fixture) open(t testing.TB, ctx context.Context, method string, opts ...grpc.CallOption) grpc.ClientStream {
	t.Helper()
	s, err := f.conn.NewStream(ctx, &grpc.StreamDesc{ServerStreams: true, ClientStreams: true}, "/go.micro.test.Talk/"+method, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// chat sends a message and returns the text of the answer.
func chat(s grpc.ClientStream, in *currentpb.SayRequest) (string, error) {
	if err := s.SendMsg(in); err != nil && err != io.EOF {
		return "", err
	}
	out := &currentpb.SayReply{}
	err := s.RecvMsg(out)
	return out.Text, err
}

func TestStreams(t *testing.T) {
	f := startTalk(t, &talking{})
	for _, contentType := range []string{"application/grpc+proto", "application/json"} {
		codec := clientCodec(t, contentType)
		count := f.open(t, t.Context(), "Count", codec)
		if got, err := chat(count, &currentpb.SayRequest{Text: "x", NumberOfTimes: 2}); err != nil || got != "0 x" {
			t.Errorf("%s: Count: %q, %v", contentType, got, err)
		}
		out := &currentpb.SayReply{}
		if err := count.RecvMsg(out); err != nil || out.Text != "1 x" {
			t.Errorf("%s: Count: %v, %v", contentType, out, err)
		}
		if err := count.RecvMsg(out); err != io.EOF {
			t.Errorf("%s: Count after its end: %v", contentType, err)
		}

		sum := f.open(t, t.Context(), "Sum", codec)
		for i := range 3 {
			if err := sum.SendMsg(&currentpb.SayRequest{Text: fmt.Sprint(i)}); err != nil {
				t.Fatal(err)
			}
		}
		if err := sum.CloseSend(); err != nil {
			t.Fatal(err)
		}
		if err := sum.RecvMsg(out); err != nil || out.Text != "0 1 2" {
			t.Errorf("%s: Sum: %v, %v", contentType, out, err)
		}

		s := f.open(t, t.Context(), "Chat", codec)
		for i := range 3 {
			text := fmt.Sprint("message ", i)
			if got, err := chat(s, &currentpb.SayRequest{Text: text}); err != nil || got != text {
				t.Errorf("%s: Chat: %q, %v", contentType, got, err)
			}
		}
		if err := s.CloseSend(); err != nil {
			t.Fatal(err)
		}
		if err := s.RecvMsg(out); err != io.EOF {
			t.Errorf("%s: Chat after its end: %v", contentType, err)
		}
	}
}

// Frames has a stream that is written by hand.
type Frames struct{}

func (*Frames) Echo(_ context.Context, stream server.Stream) error {
	for {
		var f bytes.Frame
		if err := stream.Recv(&f); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		if err := stream.Send(&f); err != nil {
			return err
		}
	}
}

func TestAStreamOfBytes(t *testing.T) {
	f := newServer(t)
	if err := f.server.Handle(f.server.NewHandler(&Frames{})); err != nil {
		t.Fatal(err)
	}
	f.start(t)
	s, err := f.conn.NewStream(t.Context(), &grpc.StreamDesc{ServerStreams: true, ClientStreams: true}, "/Frames/Echo", clientCodec(t, "application/grpc+bytes"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"\x00\xff", "", "x"} {
		in, out := []byte(want), []byte("before")
		if err := s.SendMsg(&in); err != nil {
			t.Fatal(err)
		}
		if err := s.RecvMsg(&out); err != nil || string(out) != want {
			t.Errorf("%q: %q, %v", want, out, err)
		}
	}
}

func TestErrorsOfStreams(t *testing.T) {
	f := startTalk(t, &talking{})
	for text, want := range map[string]errors.Error{
		"micro nope": {Id: "my.id", Code: 404, Detail: "nope"},
		"panic boom": {Id: "go.micro.server", Code: 500, Detail: "panic recovered: boom"},
		"exit":       {Id: "go.micro.server", Code: 500, Detail: "the handler ended its goroutine (runtime.Goexit) instead of returning"},
	} {
		s := f.open(t, t.Context(), "Chat")
		if got, err := chat(s, &currentpb.SayRequest{Text: "x"}); err != nil || got != "x" {
			t.Fatal(got, err)
		}
		_, err := chat(s, &currentpb.SayRequest{Text: text})
		if e := errors.FromError(rpc.FromStatus(err)); e.Id != want.Id || e.Code != want.Code || e.Detail != want.Detail {
			t.Errorf("%s: %v", text, err)
		}
	}
	s := f.open(t, t.Context(), "Nothing")
	if _, err := chat(s, &currentpb.SayRequest{}); status.Code(err) != codes.Unimplemented {
		t.Errorf("an unknown method: %v", err)
	}
	s = f.open(t, t.Context(), "Chat", grpc.CallContentSubtype("foo"), grpc.ForceCodecV2(rpc.Proto))
	if _, err := chat(s, &currentpb.SayRequest{}); errors.FromError(rpc.FromStatus(err)).Detail != "Unsupported Content-Type: application/grpc+foo" {
		t.Errorf("an unknown content type: %v", err)
	}
}

// What a handler receives when its client has gone, and when a message cannot be read.
func TestErrorsThatAStreamHandlerGets(t *testing.T) {
	h := &talking{ended: make(chan error, 1)}
	f := startTalk(t, h)
	ctx, cancel := context.WithCancel(t.Context())
	s := f.open(t, ctx, "Chat")
	if _, err := chat(s, &currentpb.SayRequest{Text: "x"}); err != nil {
		t.Fatal(err)
	}
	cancel()
	var e *errors.Error
	if err := <-h.ended; !stderrors.As(err, &e) || e.Code != 408 || !stderrors.Is(err, context.Canceled) {
		t.Errorf("the client has gone: %v", err)
	}
	s = f.open(t, t.Context(), "Chat", clientCodec(t, "application/grpc+proto"))
	if err := s.SendMsg(&bytes.Frame{Data: []byte("\xff\xff\xff")}); err != nil {
		t.Fatal(err)
	}
	if err := <-h.ended; !stderrors.As(err, &e) || e.Id != "go.micro.server" || e.Code != 500 {
		t.Errorf("a message that cannot be read: %v", err)
	}
	if err := s.RecvMsg(&currentpb.SayReply{}); status.Code(err) != codes.Internal || !strings.Contains(err.Error(), rpc.OfRequest) {
		t.Errorf("a message that cannot be read: the client gets %v", err)
	}
}

func TestLimitsOfMessagesOfAStream(t *testing.T) {
	f := startTalk(t, &talking{}, sgrpc.MaxMsgSize(1000))
	s := f.open(t, t.Context(), "Chat")
	_, err := chat(s, &currentpb.SayRequest{Text: "big", NumberOfTimes: 1001})
	if e := errors.FromError(rpc.FromStatus(err)); e.Code != 429 || !strings.Contains(e.Detail, "MaxMsgSize of server/grpc") {
		t.Errorf("a response: %v", err)
	}
	s = f.open(t, t.Context(), "Chat")
	if _, err := chat(s, &currentpb.SayRequest{Text: strings.Repeat("x", 1001)}); status.Code(err) != codes.ResourceExhausted {
		t.Errorf("a request: %v", err)
	}
}

func TestWrappersOfAStream(t *testing.T) {
	var saw string
	sent := 0
	f := startTalk(t, &talking{}, server.WrapHandler(func(next server.HandlerFunc) server.HandlerFunc {
		return func(ctx context.Context, req server.Request, rsp any) error {
			stream := rsp.(server.Stream)
			who, _ := metadata.Get(ctx, "Who")
			saw = fmt.Sprint(req.Endpoint(), " ", req.Stream(), " ", req.Body(), " ", stream.Request().Endpoint(), " ", who)
			err := next(metadata.Set(ctx, "Who", "you"), req, countedStream{stream, &sent})
			if err != nil || stream.Error() != nil {
				t.Errorf("%v, %v", err, stream.Error())
			}
			return errors.Conflict("my.id", "by the wrapper")
		}
	}))
	ctx := grpcmd.AppendToOutgoingContext(t.Context(), "who", "me")
	s := f.open(t, ctx, "Count")
	if got, err := chat(s, &currentpb.SayRequest{Text: "header Who", NumberOfTimes: 1}); err != nil || got != "0 you" {
		t.Errorf("the handler's context: %q, %v", got, err)
	}
	if err := s.RecvMsg(&currentpb.SayReply{}); errors.FromError(rpc.FromStatus(err)).Detail != "by the wrapper" {
		t.Errorf("got %v", err)
	}
	if saw != "Talk.Count true <nil> Talk.Count me" || sent != 1 {
		t.Errorf("the wrapper saw %q and %d messages", saw, sent)
	}
	if got, err := chat(f.open(t, ctx, "Count"), &currentpb.SayRequest{Text: "stream header Who", NumberOfTimes: 1}); err != nil || got != "0 you" {
		t.Errorf("the stream's context: %q, %v", got, err)
	}
}

type countedStream struct {
	server.Stream
	sent *int
}

func (s countedStream) Send(v any) error {
	*s.sent++
	return s.Stream.Send(v)
}

// A stream lasts as long as v2's header says, also while its handler waits for a message.
func TestTheTimeoutHeaderEndsAStream(t *testing.T) {
	h := &talking{ended: make(chan error, 1)}
	f := startTalk(t, h)
	s := f.open(t, grpcmd.AppendToOutgoingContext(t.Context(), rpc.TimeoutHeader, fmt.Sprint(int64(3*time.Second))), "Chat")
	if _, err := chat(s, &currentpb.SayRequest{Text: "x"}); err != nil {
		t.Fatal(err)
	}
	begun := time.Now()
	if err := s.RecvMsg(&currentpb.SayReply{}); status.Code(err) != codes.DeadlineExceeded {
		t.Errorf("the client gets %v", err)
	}
	if err := <-h.ended; errors.FromError(err).GetCode() != 408 || !stderrors.Is(err, context.DeadlineExceeded) {
		t.Errorf("the handler gets %v", err)
	}
	if took := time.Since(begun); took > 15*time.Second {
		t.Errorf("the stream ended after %v", took)
	}
}

// A stream survives a stop that it ends within, and one that is longer is told.
func TestStopAndStreams(t *testing.T) {
	h := &talking{ended: make(chan error, 2)}
	f := newServer(t, sgrpc.StopGrace(4*time.Second))
	if err := talkpb.RegisterTalkHandler(f.server, h); err != nil {
		t.Fatal(err)
	}
	if err := f.server.Start(); err != nil {
		t.Fatal(err)
	}
	f.conn = dial(t, f.server.Options().Address, insecureCredentials)
	short, long := f.open(t, t.Context(), "Chat"), f.open(t, t.Context(), "Chat")
	for _, s := range []grpc.ClientStream{short, long} {
		if _, err := chat(s, &currentpb.SayRequest{Text: "before"}); err != nil {
			t.Fatal(err)
		}
	}
	stopped := make(chan error, 1)
	go func() { stopped <- f.server.Stop() }()
	if got, err := chat(short, &currentpb.SayRequest{Text: "during"}); err != nil || got != "during" {
		t.Errorf("within the grace: %q, %v", got, err)
	}
	if err := short.CloseSend(); err != nil {
		t.Fatal(err)
	}
	if err := short.RecvMsg(&currentpb.SayReply{}); err != io.EOF {
		t.Errorf("a stream that ends within the grace: %v", err)
	}
	err := long.RecvMsg(&currentpb.SayReply{})
	if e := errors.FromError(rpc.FromStatus(err)); status.Code(err) != codes.Unavailable || e.Code != 503 || !strings.Contains(e.Detail, "the server is stopping") {
		t.Errorf("a longer stream: %v", err)
	}
	if err := <-stopped; err == nil || !strings.Contains(err.Error(), "grace") {
		t.Errorf("stop: %v", err)
	}
	if err := <-h.ended; err != nil {
		t.Errorf("the handler of the stream that ended: %v", err)
	}
	if err := <-h.ended; errors.FromError(err).GetCode() != 503 {
		t.Errorf("the handler of the longer stream: %v", err)
	}
}

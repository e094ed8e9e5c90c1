package micro

import (
	"context"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"

	"github.com/rollcall-go/micro/client"
	cgrpc "github.com/rollcall-go/micro/client/grpc"
	"github.com/rollcall-go/micro/errors"
	"github.com/rollcall-go/micro/internal/testkit/currentpb"
	"github.com/rollcall-go/micro/internal/testkit/talkpb"
	"github.com/rollcall-go/micro/metadata"
	"github.com/rollcall-go/micro/server"
)

// talkHandler is the service Talk for code of v2's generator.
type talkHandler struct{}

func (talkHandler) Count(ctx context.Context, in *currentpb.SayRequest, stream talkpb.Talk_CountStream) error {
	return count(ctx, in, stream.Send)
}

func (talkHandler) Sum(_ context.Context, stream talkpb.Talk_SumStream) error {
	return sum(stream.Recv, func(out *currentpb.SayReply) error { return stream.SendMsg(out) })
}

func (talkHandler) Chat(_ context.Context, stream talkpb.Talk_ChatStream) error {
	return chat(stream.Recv, stream.Send)
}

// talkServer is the same for code of protoc-gen-go-grpc.
type talkServer struct {
	currentpb.UnimplementedTalkServer
}

func (talkServer) Count(in *currentpb.SayRequest, stream grpc.ServerStreamingServer[currentpb.SayReply]) error {
	return count(stream.Context(), in, stream.Send)
}

func (talkServer) Sum(stream grpc.ClientStreamingServer[currentpb.SayRequest, currentpb.SayReply]) error {
	return sum(stream.Recv, stream.SendAndClose)
}

func (talkServer) Chat(stream grpc.BidiStreamingServer[currentpb.SayRequest, currentpb.SayReply]) error {
	return chat(stream.Recv, stream.Send)
}

// count sends as many replies as asked, each with who the caller is.
func count(ctx context.Context, in *currentpb.SayRequest, send func(*currentpb.SayReply) error) error {
	who, _ := metadata.Get(ctx, "Who")
	for i := range in.NumberOfTimes {
		if err := send(&currentpb.SayReply{Text: fmt.Sprint(in.Text, i, who)}); err != nil {
			return err
		}
	}
	return nil
}

func sum(recv func() (*currentpb.SayRequest, error), send func(*currentpb.SayReply) error) error {
	var all []string
	for {
		in, err := recv()
		if err == io.EOF {
			return send(&currentpb.SayReply{Text: strings.Join(all, "+")})
		}
		if err != nil {
			return err
		}
		all = append(all, in.Text)
	}
}

func chat(recv func() (*currentpb.SayRequest, error), send func(*currentpb.SayReply) error) error {
	for {
		in, err := recv()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if in.Text == "fail" {
			return errors.NotFound("my.id", "nothing of that name")
		}
		if err := send(&currentpb.SayReply{Text: in.Text}); err != nil {
			return err
		}
	}
}

// talks are the ways to have the service Talk.
var talks = map[string]func(*service) error{
	"code of v2's generator": func(s *service) error { return talkpb.RegisterTalkHandler(s.Server(), talkHandler{}) },
	"code of protoc-gen-go-grpc": func(s *service) error {
		currentpb.RegisterTalkServer(s.Server().(grpc.ServiceRegistrar), talkServer{})
		return nil
	},
}

// replies are the kinds of stream as a client has them: what it is told by Count, Sum
// and Chat.
type replies struct {
	count func(ctx context.Context, in *currentpb.SayRequest) (func() (*currentpb.SayReply, error), error)
	sum   func(ctx context.Context, texts ...string) (*currentpb.SayReply, error)
	chat  func(ctx context.Context) (send func(*currentpb.SayRequest) error, recv func() (*currentpb.SayReply, error), closeSend func() error, err error)
}

// byHand makes streams of the client, of a service of that name.
func byHand(c client.Client, name string) replies {
	open := func(ctx context.Context, method string) (client.Stream, error) {
		return c.Stream(ctx, c.NewRequest(name, "Talk."+method, nil))
	}
	recv := func(st client.Stream) func() (*currentpb.SayReply, error) {
		return func() (*currentpb.SayReply, error) {
			out := &currentpb.SayReply{}
			return out, st.Recv(out)
		}
	}
	return replies{
		count: func(ctx context.Context, in *currentpb.SayRequest) (func() (*currentpb.SayReply, error), error) {
			st, err := open(ctx, "Count")
			if err != nil {
				return nil, err
			}
			return recv(st), client.SendLast(st, in)
		},
		sum: func(ctx context.Context, texts ...string) (*currentpb.SayReply, error) {
			st, err := open(ctx, "Sum")
			if err != nil {
				return nil, err
			}
			for _, text := range texts {
				if err := st.Send(&currentpb.SayRequest{Text: text}); err != nil {
					return nil, err
				}
			}
			out := &currentpb.SayReply{}
			return out, client.CloseAndRecv(st, out)
		},
		chat: func(ctx context.Context) (func(*currentpb.SayRequest) error, func() (*currentpb.SayReply, error), func() error, error) {
			st, err := open(ctx, "Chat")
			if err != nil {
				return nil, nil, nil, err
			}
			send := func(in *currentpb.SayRequest) error { return st.Send(in) }
			return send, recv(st), func() error { return client.CloseSend(st) }, nil
		},
	}
}

// byV2sGenerator makes streams by code of v2's generator. It cannot end its side.
func byV2sGenerator(c client.Client) replies {
	talk := talkpb.NewTalkService("talk", c)
	return replies{
		count: func(ctx context.Context, in *currentpb.SayRequest) (func() (*currentpb.SayReply, error), error) {
			st, err := talk.Count(ctx, in)
			if err != nil {
				return nil, err
			}
			return st.Recv, nil
		},
		chat: func(ctx context.Context) (func(*currentpb.SayRequest) error, func() (*currentpb.SayReply, error), func() error, error) {
			st, err := talk.Chat(ctx)
			if err != nil {
				return nil, nil, nil, err
			}
			return st.Send, st.Recv, nil, nil
		},
	}
}

// byGRPC makes streams by code of protoc-gen-go-grpc.
func byGRPC(cc grpc.ClientConnInterface) replies {
	talk := currentpb.NewTalkClient(cc)
	return replies{
		count: func(ctx context.Context, in *currentpb.SayRequest) (func() (*currentpb.SayReply, error), error) {
			st, err := talk.Count(ctx, in)
			if err != nil {
				return nil, err
			}
			return st.Recv, nil
		},
		sum: func(ctx context.Context, texts ...string) (*currentpb.SayReply, error) {
			st, err := talk.Sum(ctx)
			if err != nil {
				return nil, err
			}
			for _, text := range texts {
				if err := st.Send(&currentpb.SayRequest{Text: text}); err != nil {
					return nil, err
				}
			}
			return st.CloseAndRecv()
		},
		chat: func(ctx context.Context) (func(*currentpb.SayRequest) error, func() (*currentpb.SayReply, error), func() error, error) {
			st, err := talk.Chat(ctx)
			if err != nil {
				return nil, nil, nil, err
			}
			return st.Send, st.Recv, st.CloseSend, nil
		},
	}
}

// Every kind of stream between every kind of client and server.
func TestStreamsOfEveryKind(t *testing.T) {
	for what, register := range talks {
		t.Run(what, func(t *testing.T) {
			s := newNode(t, "talk", newMemory(t), nil)
			if err := register(s); err != nil {
				t.Fatal(err)
			}
			run(t, s)
			plain, err := grpc.NewClient(s.Server().Options().Address, grpc.WithTransportCredentials(insecure.NewCredentials()))
			if err != nil {
				t.Fatal(err)
			}
			defer plain.Close()
			for by, r := range map[string]replies{
				"by hand":             byHand(s.Client(), "talk"),
				"by v2's generator":   byV2sGenerator(s.Client()),
				"by name":             byGRPC(cgrpc.Conn(s.Client(), "talk")),
				"by plain gRPC":       byGRPC(plain),
				"by a client wrapped": byGRPC(cgrpc.Conn(hiding{s.Client()}, "talk")),
			} {
				t.Run(by, func(t *testing.T) { r.check(t) })
			}
		})
	}
}

// at is a client that calls an address.
type at struct {
	client.Client
	address string
}

func (a at) Stream(ctx context.Context, req client.Request, opts ...client.CallOption) (client.Stream, error) {
	return a.Client.Stream(ctx, req, append(opts, client.WithAddress(a.address))...)
}

// Every kind of stream to a server of plain gRPC, which is called by its address and
// by the name of its package.
func TestStreamsToPlainGRPC(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	plain := grpc.NewServer()
	currentpb.RegisterTalkServer(plain, failing{})
	var serving sync.WaitGroup
	serving.Go(func() { _ = plain.Serve(l) })
	t.Cleanup(func() { plain.Stop(); serving.Wait() })
	const name = "rollcall.test.current"
	c := at{newNode(t, "caller", newMemory(t), nil).Client(), l.Addr().String()}
	t.Run("by hand", func(t *testing.T) { byHand(c, name).check(t) })
	t.Run("by protoc-gen-go-grpc", func(t *testing.T) { byGRPC(cgrpc.Conn(c, name)).check(t) })
}

// failing is talkServer whose errors are statuses, as those of plain gRPC are.
type failing struct{ talkServer }

func (failing) Chat(stream grpc.BidiStreamingServer[currentpb.SayRequest, currentpb.SayReply]) error {
	err := talkServer{}.Chat(stream)
	if e, ok := err.(*errors.Error); ok {
		return status.Error(codes.NotFound, e.Error())
	}
	return err
}

// hiding is a client whose streams have nothing but what the contract has.
type hiding struct{ client.Client }

func (h hiding) Stream(ctx context.Context, req client.Request, opts ...client.CallOption) (client.Stream, error) {
	st, err := h.Client.Stream(ctx, req, opts...)
	return struct{ client.Stream }{st}, err
}

func (r replies) check(t *testing.T) {
	ctx := metadata.NewContext(t.Context(), metadata.Metadata{"Who": "me"})
	recv, err := r.count(ctx, &currentpb.SayRequest{Text: "n", NumberOfTimes: 3})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		out, err := recv()
		if err != nil || !strings.HasPrefix(out.Text, fmt.Sprint("n", i)) {
			t.Fatalf("Count: message %d: %v, %v", i, out, err)
		}
	}
	if _, err := recv(); err != io.EOF {
		t.Errorf("Count: at the end: %v", err)
	}
	if r.sum != nil {
		if out, err := r.sum(ctx, "a", "b", "c"); err != nil || out.Text != "a+b+c" {
			t.Errorf("Sum: %v, %v", out, err)
		}
		if out, err := r.sum(ctx); err != nil || out.Text != "" {
			t.Errorf("Sum of nothing: %v, %v", out, err)
		}
	}
	send, recv, closeSend, err := r.chat(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		if err := send(&currentpb.SayRequest{Text: fmt.Sprint(i)}); err != nil {
			t.Fatal(err)
		}
		if out, err := recv(); err != nil || out.Text != fmt.Sprint(i) {
			t.Fatalf("Chat: message %d: %v, %v", i, out, err)
		}
	}
	if closeSend != nil {
		if err := closeSend(); err != nil {
			t.Fatal(err)
		}
		if _, err := recv(); err != io.EOF {
			t.Errorf("Chat: at the end: %v", err)
		}
		if send, recv, _, err = r.chat(ctx); err != nil {
			t.Fatal(err)
		}
	}
	if err := send(&currentpb.SayRequest{Text: "fail"}); err != nil {
		t.Fatal(err)
	}
	_, err = recv()
	var code int32
	if e, ok := err.(*errors.Error); ok {
		code = e.Code
	} else if status.Code(err) == codes.NotFound {
		code = errors.Parse(status.Convert(err).Message()).Code
	}
	if code != 404 {
		t.Errorf("Chat: an error: %v", err)
	}
}

// What streams send says which service it comes from, as calls do.
func TestAStreamSaysWhoCalls(t *testing.T) {
	r := newMemory(t)
	from := make(chan string, 1)
	s := newNode(t, "talk", r, nil, WrapHandler(fromOf(from)))
	if err := talkpb.RegisterTalkHandler(s.Server(), talkHandler{}); err != nil {
		t.Fatal(err)
	}
	run(t, s)
	caller := newNode(t, "caller", r, nil)
	recv, err := byHand(caller.Client(), "talk").count(t.Context(), &currentpb.SayRequest{NumberOfTimes: 1})
	if err != nil {
		t.Fatal(err)
	}
	for err == nil {
		_, err = recv()
	}
	if who := <-from; err != io.EOF || who != "caller" {
		t.Errorf("the stream came from %q, and ended with %v", who, err)
	}
}

// fromOf tells who calls, before the method is called.
func fromOf(from chan<- string) server.HandlerWrapper {
	return func(next server.HandlerFunc) server.HandlerFunc {
		return func(ctx context.Context, req server.Request, rsp any) error {
			who, _ := metadata.Get(ctx, headerFrom)
			from <- who
			return next(ctx, req, rsp)
		}
	}
}

package grpc_test

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"google.golang.org/grpc"

	"github.com/rollcall-go/micro/internal/testkit/currentpb"
	"github.com/rollcall-go/micro/registry"
	"github.com/rollcall-go/micro/registry/memory"
	"github.com/rollcall-go/micro/server"
	sgrpc "github.com/rollcall-go/micro/server/grpc"
)

// standardTalk is Talk as protoc-gen-go-grpc has it.
type standardTalk struct {
	currentpb.UnimplementedTalkServer
}

func (standardTalk) Count(in *currentpb.SayRequest, stream grpc.ServerStreamingServer[currentpb.SayReply]) error {
	for i := range in.NumberOfTimes {
		if err := stream.Send(&currentpb.SayReply{Text: fmt.Sprint(i)}); err != nil {
			return err
		}
	}
	return nil
}

func startStandardTalk(t *testing.T, opts ...server.Option) *fixture {
	t.Helper()
	f := &fixture{registry: memory.NewRegistry(), log: captureLog(t)}
	opts = append([]server.Option{server.Name("go.micro.test"), server.Address("127.0.0.1:0"), server.Registry(f.registry), sgrpc.DeregisterDelay(0)}, opts...)
	f.server = sgrpc.NewServer(opts...)
	currentpb.RegisterTalkServer(registrar(t, f.server), standardTalk{})
	currentpb.RegisterEchoServer(registrar(t, f.server), standard{})
	return f.start(t)
}

// The methods of a service of RegisterService are endpoints like those of handlers.
func TestEndpointsOfAStandardService(t *testing.T) {
	f := startStandardTalk(t)
	services, err := f.registry.GetService("go.micro.test")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range services[0].Endpoints {
		got = append(got, strings.TrimSpace(fmt.Sprint(e.Name, " ", nameOf(e.Request), " ", nameOf(e.Response), " ", e.Metadata["stream"])))
	}
	want := []string{
		"Talk.Count SayRequest SayReply true", "Talk.Sum SayRequest SayReply true", "Talk.Chat SayRequest SayReply true",
		"Echo.Say SayRequest SayReply",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func nameOf(v *registry.Value) string {
	if v == nil {
		return ""
	}
	return v.Name
}

// Clients of v2 never end their side, which grpc would wait for.
func TestAStandardServerStreamForAClientThatDoesNotEndItsSide(t *testing.T) {
	f := startStandardTalk(t)
	for _, path := range []string{"/go.micro.test.Talk/Count", currentpb.Talk_Count_FullMethodName} {
		s, err := f.conn.NewStream(t.Context(), &grpc.StreamDesc{ServerStreams: true, ClientStreams: true}, path)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := chat(s, &currentpb.SayRequest{NumberOfTimes: 1}); err != nil || got != "0" {
			t.Errorf("%s: %q, %v", path, got, err)
		}
		if err := s.RecvMsg(&currentpb.SayReply{}); err != io.EOF {
			t.Errorf("%s: at the end: %v", path, err)
		}
	}
}

package grpc_test

import (
	"errors"
	"io"
	"testing"

	"google.golang.org/grpc"

	"github.com/rollcall-go/micro/internal/testkit/currentpb"
	"github.com/rollcall-go/micro/server"
	sgrpc "github.com/rollcall-go/micro/server/grpc"
)

// The interceptors of a program see each stream as its .proto file has it, under both
// names of the service.
func TestInterceptorsSeeTheKindOfAStream(t *testing.T) {
	seen := make(chan grpc.StreamServerInfo, 1)
	f := newServer(t, server.Name("go.micro.test"), sgrpc.Options(grpc.ChainStreamInterceptor(
		func(srv any, s grpc.ServerStream, info *grpc.StreamServerInfo, next grpc.StreamHandler) error {
			seen <- *info
			return next(srv, s)
		})))
	currentpb.RegisterTalkServer(f.server.(grpc.ServiceRegistrar), currentpb.UnimplementedTalkServer{})
	f.start(t)
	for method, want := range map[string][2]bool{"Count": {false, true}, "Sum": {true, false}, "Chat": {true, true}} {
		for _, service := range []string{currentpb.Talk_ServiceDesc.ServiceName, "go.micro.test.Talk"} {
			s, err := f.conn.NewStream(t.Context(), &grpc.StreamDesc{ServerStreams: true, ClientStreams: true}, "/"+service+"/"+method)
			if err != nil {
				t.Fatal(err)
			}
			if err := s.SendMsg(&currentpb.SayRequest{}); err != nil && !errors.Is(err, io.EOF) { // it may have ended already
				t.Fatal(err)
			}
			if got := <-seen; got.IsClientStream != want[0] || got.IsServerStream != want[1] {
				t.Errorf("%s of %s: %+v", method, service, got)
			}
			if err := s.RecvMsg(&currentpb.SayReply{}); err == nil { // it is not implemented
				t.Error("the stream goes on")
			}
		}
	}
}

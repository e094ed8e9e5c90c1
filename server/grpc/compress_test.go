package grpc_test

import (
	"context"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/experimental"
	"google.golang.org/grpc/stats"

	"github.com/rollcall-go/micro/internal/testkit/currentpb"
	"github.com/rollcall-go/micro/server"
	sgrpc "github.com/rollcall-go/micro/server/grpc"
)

// received is a stats.Handler of a client that keeps how the last message came.
type received struct{ compressed bool }

func (r *received) TagRPC(ctx context.Context, _ *stats.RPCTagInfo) context.Context   { return ctx }
func (r *received) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context { return ctx }
func (r *received) HandleConn(context.Context, stats.ConnStats)                       {}

func (r *received) HandleRPC(_ context.Context, s stats.RPCStats) {
	if in, ok := s.(*stats.InPayload); ok {
		r.compressed = in.CompressedLength != in.Length
	}
}

// another is a compressor that stands for those that a client may know.
type another struct{ encoding.Compressor }

func (another) Name() string { return "another" }

func init() { encoding.RegisterCompressor(another{}) }

// large answers with as many bytes as it is asked for, by code of protoc-gen-go-grpc.
type large struct {
	currentpb.UnimplementedEchoServer
}

func (large) Say(_ context.Context, in *currentpb.SayRequest) (*currentpb.SayReply, error) {
	return &currentpb.SayReply{Text: strings.Repeat("x", int(in.NumberOfTimes))}, nil
}

// Answers from 1 KiB on are compressed by the option, for who accepts that; without it,
// the answers to requests that were compressed.
func TestAnswersAreCompressed(t *testing.T) {
	gzip := grpc.UseCompressor("gzip")
	for _, tc := range []struct {
		name    string
		opts    []server.Option
		call    []grpc.CallOption
		answers map[int]bool // by size, whether they are compressed
	}{
		{"nobody asks", nil, nil, map[int]bool{10: false, 5000: false}},
		{"the client asks", nil, []grpc.CallOption{gzip}, map[int]bool{10: true, 5000: true}},
		{"by option", []server.Option{sgrpc.Gzip()}, nil, map[int]bool{0: false, 10: false, 1000: false, 1030: true, 5000: true}},
		{"both", []server.Option{sgrpc.Gzip()}, []grpc.CallOption{gzip}, map[int]bool{10: false, 5000: true}},
		{"not accepted", []server.Option{sgrpc.Gzip()}, []grpc.CallOption{experimental.AcceptCompressors(another{}.Name())}, map[int]bool{10: false, 5000: false}},
	} {
		f := newServer(t, tc.opts...)
		currentpb.RegisterEchoServer(registrar(t, f.server), large{})
		f.start(t)
		var r received
		conn := dial(t, f.server.Options().Address, grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithStatsHandler(&r))
		for size, want := range tc.answers {
			for _, path := range []string{"/go.micro.test.Echo/Say", "/" + currentpb.Echo_ServiceDesc.ServiceName + "/Say"} {
				out := &currentpb.SayReply{}
				err := conn.Invoke(t.Context(), path, &currentpb.SayRequest{Text: "big", NumberOfTimes: int64(size)}, out, tc.call...)
				if err != nil || out.Text != strings.Repeat("x", size) {
					t.Errorf("%s, %s, %d bytes: got %d, %v", tc.name, path, size, len(out.Text), err)
				}
				if r.compressed != want {
					t.Errorf("%s, %s, %d bytes: compressed is %v", tc.name, path, size, r.compressed)
				}
			}
		}
	}
}

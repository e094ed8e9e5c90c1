//go:build !race

package grpc_test

import (
	"context"
	"net"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	grpcmd "google.golang.org/grpc/metadata"

	"github.com/rollcall-go/micro/internal/testkit/currentpb"
	"github.com/rollcall-go/micro/internal/testkit/micropb/kinds"
)

// wordy is a handler of generated code.
type wordy struct{ kinds.TalkHandler }

func (wordy) Say(_ context.Context, in, out *kinds.Words) error {
	out.Text = in.Text
	return nil
}

// Wordy is the same without generated code.
type Wordy struct{}

func (Wordy) Say(ctx context.Context, in, out *kinds.Words) error { return wordy{}.Say(ctx, in, out) }

// TestAllocations bounds what a server allocates for a call beyond what one of grpc
// with generated code does. Client and server are one process here; the client is
// the same.
func TestAllocations(t *testing.T) {
	f := newServer(t)
	if err := kinds.RegisterTalkHandler(f.server, wordy{}); err != nil {
		t.Fatal(err)
	}
	if err := f.server.Handle(f.server.NewHandler(Wordy{})); err != nil {
		t.Fatal(err)
	}
	f.start(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	raw := grpc.NewServer()
	currentpb.RegisterEchoServer(raw, plain{})
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = raw.Serve(l)
	}()
	defer func() {
		raw.Stop()
		<-done
	}()
	cc, err := grpc.NewClient("passthrough:///"+l.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer cc.Close()

	ctx, cancel := context.WithTimeout(grpcmd.AppendToOutgoingContext(t.Context(), "micro-from-service", "test"), time.Minute)
	defer cancel()
	count := func(call func() error) float64 {
		return testing.AllocsPerRun(500, func() {
			if err := call(); err != nil {
				t.Fatal(err)
			}
		})
	}
	words, answer := &kinds.Words{Text: "x"}, &kinds.Words{}
	of := count(func() error {
		return cc.Invoke(ctx, "/rollcall.test.current.Echo/Say", &currentpb.SayRequest{Text: "x"}, &currentpb.SayReply{})
	})
	of -= 2 // the messages made here
	for _, tc := range []struct {
		name, path string
		more       float64
	}{
		{"generated code", "/go.micro.test.Talk/Say", 8},
		{"reflection", "/go.micro.test.Wordy/Say", 14},
	} {
		ours := count(func() error { return f.conn.Invoke(ctx, tc.path, words, answer) })
		t.Logf("%s: a call allocates %v times, one of grpc %v", tc.name, ours, of)
		if ours > of+tc.more {
			t.Errorf("%s: a call allocates %v times, one of grpc %v: more than %v more", tc.name, ours, of, tc.more)
		}
	}
}

type plain struct {
	currentpb.UnimplementedEchoServer
}

func (plain) Say(_ context.Context, in *currentpb.SayRequest) (*currentpb.SayReply, error) {
	return &currentpb.SayReply{Text: in.Text}, nil
}

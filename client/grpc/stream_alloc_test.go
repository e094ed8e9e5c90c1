//go:build !race

package grpc

import (
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/rollcall-go/micro/client"
)

// A message of a stream, there and back, allocates nothing beyond what grpc itself does.
func TestAllocationsOfAMessage(t *testing.T) {
	n := serveTalk(t, talk)
	c := newClient(t, client.Registry(register(t, service("echo", n))))
	cc, err := grpc.NewClient("passthrough:///"+n.Address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer cc.Close()
	st := open(t, t.Context(), c)
	defer st.Close()
	bare, err := cc.NewStream(t.Context(), everyKind, "/echo.Echo/Talk")
	if err != nil {
		t.Fatal(err)
	}
	in, out := wrapperspb.String("x"), new(wrapperspb.StringValue)
	count := func(send, recv func(any) error) float64 {
		return testing.AllocsPerRun(2000, func() {
			if err := send(in); err != nil {
				t.Fatal(err)
			}
			if err := recv(out); err != nil {
				t.Fatal(err)
			}
		})
	}
	ours, raw := count(st.Send, st.Recv), count(bare.SendMsg, bare.RecvMsg)
	t.Logf("a message there and back allocates %v times, one of grpc %v", ours, raw)
	if ours > raw+1 { // which what runs beside may cost
		t.Errorf("a message there and back allocates %v times, one of grpc %v", ours, raw)
	}
}

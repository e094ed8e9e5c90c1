package grpc_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/health/grpc_health_v1"
	grpcmd "google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/rollcall-go/micro/errors"
	"github.com/rollcall-go/micro/internal/rpc"
	"github.com/rollcall-go/micro/internal/testkit/currentpb"
	"github.com/rollcall-go/micro/server"
)

// What is beyond the limit is turned away at once, with an error that says by which node
// and what to do; health is not limited.
func TestConcurrencyLimit(t *testing.T) {
	e := &Echo{enter: make(chan struct{}, 1), leave: make(chan struct{})}
	f, done := startWaiting(t, e, server.ConcurrencyLimit(1), server.Id("mine"))
	_, err := f.say(t.Context(), "hi")
	if status.Code(err) != codes.ResourceExhausted {
		t.Errorf("got %v", err)
	}
	if e := errors.FromError(rpc.FromStatus(err)); e.Code != 429 || e.Id != "go.micro.test-mine" || !strings.Contains(e.Detail, "ConcurrencyLimit") {
		t.Errorf("got %+v", e)
	}
	if _, err := grpc_health_v1.NewHealthClient(f.conn).Check(t.Context(), &grpc_health_v1.HealthCheckRequest{}); err != nil {
		t.Errorf("health: %v", err)
	}
	if err := f.server.Init(server.ConcurrencyLimit(0)); err != nil {
		t.Fatal(err)
	}
	if _, err := f.say(t.Context(), "hi"); err != nil {
		t.Errorf("without a limit: %v", err)
	}
	close(e.leave)
	if err := <-done; err != nil {
		t.Error(err)
	}
	if err := f.server.Stop(); err != nil {
		t.Error(err)
	}
}

// A handler that calls its own service, and is turned away by its own node, has begun its
// call: its client must not make that again.
func TestARefusalThatAHandlerPassesOnIsNoneOfItsOwnCall(t *testing.T) {
	for name, pass := range map[string]func(error) error{
		"as it is": func(err error) error { return err },
		"wrapped":  func(err error) error { return fmt.Errorf("around: %w", err) },
		"status":   rpc.ToStatus,
	} {
		f := start(t, server.ConcurrencyLimit(1), server.Id("mine"), server.WrapHandler(func(server.HandlerFunc) server.HandlerFunc {
			return func(context.Context, server.Request, any) error {
				return pass(errors.New("go.micro.test-mine", "at its limit", 429))
			}
		}))
		_, err := f.say(t.Context(), "hi")
		if e := errors.FromError(rpc.FromStatus(err)); e.Code != 429 || e.Id == "go.micro.test-mine" || e.Detail != "at its limit" {
			t.Errorf("%s: got %+v", name, e)
		}
	}
}

// Calls that end make room, whatever became of them, and a limit that the server finds
// itself is not in the way of a few.
func TestCallsMakeRoom(t *testing.T) {
	for _, limit := range []int{1, server.AdaptiveLimit} {
		f := start(t, server.ConcurrencyLimit(limit))
		for _, text := range []string{"hi", "micro", "panic", "plain", "status", "hi"} {
			for range 200 {
				if _, err := f.say(t.Context(), text); status.Code(err) == codes.ResourceExhausted {
					t.Fatalf("limit %d, %s: %v", limit, text, err)
				}
			}
		}
	}
}

// A stream counts as one call as long as it is open, however much is said on it.
func TestAStreamCountsOnce(t *testing.T) {
	h := &talking{ended: make(chan error, 10)}
	f := startTalk(t, h, server.ConcurrencyLimit(2))
	open := f.open(t, t.Context(), "Chat")
	for range 10 {
		if got, err := chat(open, &currentpb.SayRequest{Text: "hi"}); err != nil || got == "" {
			t.Fatal(got, err)
		}
	}
	second := f.open(t, t.Context(), "Chat")
	if _, err := chat(second, &currentpb.SayRequest{Text: "hi"}); err != nil {
		t.Fatalf("the second of two: %v", err)
	}
	if _, err := chat(f.open(t, t.Context(), "Chat"), &currentpb.SayRequest{Text: "hi"}); status.Code(err) != codes.ResourceExhausted {
		t.Errorf("the third of two: %v", err)
	}
	if err := open.CloseSend(); err != nil {
		t.Fatal(err)
	}
	if err := open.RecvMsg(&currentpb.SayReply{}); err == nil {
		t.Error("the stream goes on")
	}
	<-h.ended
	if _, err := chat(second, &currentpb.SayRequest{Text: "hi"}); err != nil {
		t.Errorf("the second, when the first has ended: %v", err)
	}
}

// A request whose time is over when it arrives is not begun.
func TestWhatComesTooLateIsNotBegun(t *testing.T) {
	f := start(t)
	for _, timeout := range []string{"0", "1"} { // nanoseconds, by v2's header
		_, err := f.say(grpcmd.AppendToOutgoingContext(t.Context(), rpc.TimeoutHeader, timeout), "hi")
		e := errors.FromError(rpc.FromStatus(err))
		if e.GetCode() != 408 || !strings.HasPrefix(e.GetDetail(), context.DeadlineExceeded.Error()) || !strings.Contains(e.GetDetail(), "not begun") {
			t.Errorf("timeout %s: %v", timeout, err)
		}
	}
}

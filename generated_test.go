package micro

import (
	"context"
	"errors"
	"io"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-go/micro/internal/testkit/micropb/kinds"
	"github.com/rollcall-go/micro/internal/testkit/micropb/shared"
)

// talk is a handler of generated code with a method of every kind.
type talk struct{ reflected bool }

func (t *talk) Say(_ context.Context, in, out *kinds.Words) error {
	out.Text = "said " + in.Text
	var pcs [64]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(0, pcs[:])])
	for more := true; more; {
		var f runtime.Frame
		f, more = frames.Next()
		t.reflected = t.reflected || strings.HasPrefix(f.Function, "reflect.")
	}
	return nil
}

func (t *talk) ReadAll(_ context.Context, in *shared.Text, out *kinds.Words) error {
	out.Text = "all of " + in.Text
	return nil
}

func (t *talk) Old(_ context.Context, in *kinds.Words, out *shared.Text) error {
	out.Text = "old " + in.Text
	return nil
}

func (t *talk) Count(_ context.Context, in *kinds.Words, stream kinds.Talk_CountStream) error {
	for i := range in.Number {
		if err := stream.Send(&kinds.Words{Number: i}); err != nil {
			return err
		}
	}
	return nil
}

func (t *talk) Sum(_ context.Context, stream kinds.Talk_SumStream) error {
	sum := &kinds.Words{}
	for {
		in, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return stream.SendAndClose(sum)
		}
		if err != nil {
			return err
		}
		sum.Number += in.Number
	}
}

func (t *talk) Chat(_ context.Context, stream kinds.Talk_ChatStream) error {
	for {
		in, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := stream.Send(&kinds.Words{Text: "re " + in.Text}); err != nil {
			return err
		}
	}
}

// Code by protoc-gen-micro on both ends: a method of every kind, the unary one
// without reflection.
func TestGeneratedCode(t *testing.T) {
	r := newMemory(t)
	server := newNode(t, "talk", r, nil)
	h := &talk{}
	if err := kinds.RegisterTalkHandler(server.Server(), h); err != nil {
		t.Fatal(err)
	}
	run(t, server)
	c := kinds.NewTalkService("talk", newNode(t, "caller", r, nil).Client())
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()

	if out, err := c.Say(ctx, &kinds.Words{Text: "x"}); err != nil || out.Text != "said x" {
		t.Errorf("Say: %v, %v", out, err)
	}
	if h.reflected {
		t.Error("Say was called by reflection")
	}
	if out, err := c.ReadAll(ctx, &shared.Text{Text: "x"}); err != nil || out.Text != "all of x" {
		t.Errorf("ReadAll: %v, %v", out, err)
	}
	//lint:ignore SA1019 a deprecated method is generated and called as any other
	if out, err := c.Old(ctx, &kinds.Words{Text: "x"}); err != nil || out.Text != "old x" {
		t.Errorf("Old: %v, %v", out, err)
	}

	count, err := c.Count(ctx, &kinds.Words{Number: 3})
	if err != nil {
		t.Fatal(err)
	}
	defer count.Close()
	for want := range int64(3) {
		if out, err := count.Recv(); err != nil || out.Number != want {
			t.Errorf("Count: %v, %v, want %d", out, err, want)
		}
	}
	if out, err := count.Recv(); !errors.Is(err, io.EOF) {
		t.Errorf("Count: %v, %v after the last message", out, err)
	}

	sum, err := c.Sum(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer sum.Close()
	for i := range int64(4) {
		if err := sum.Send(&kinds.Words{Number: i}); err != nil {
			t.Errorf("Sum: %v", err)
		}
	}
	if out, err := sum.CloseAndRecv(); err != nil || out.Number != 6 {
		t.Errorf("Sum: %v, %v, want 6", out, err)
	}

	chat, err := c.Chat(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer chat.Close()
	for _, text := range []string{"a", "b"} {
		if err := chat.Send(&kinds.Words{Text: text}); err != nil {
			t.Errorf("Chat: %v", err)
		}
		if out, err := chat.Recv(); err != nil || out.Text != "re "+text {
			t.Errorf("Chat: %v, %v", out, err)
		}
	}
	if err := chat.CloseSend(); err != nil {
		t.Error(err)
	}
	if out, err := chat.Recv(); !errors.Is(err, io.EOF) {
		t.Errorf("Chat: %v, %v after the end", out, err)
	}
}

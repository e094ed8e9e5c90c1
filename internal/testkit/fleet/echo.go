package fleet

import (
	"context"
	"strings"
	"time"

	"github.com/rollcall-go/micro/errors"
	"github.com/rollcall-go/micro/internal/testkit/legacypb"
)

// Text is what Echo receives and sends, as JSON.
type Text struct{ Text string }

// Echo is served by every node of a fleet.
type Echo struct{ node string }

// Say answers with the text it gets.
func (e *Echo) Say(_ context.Context, req, rsp *Text) error {
	rsp.Text = req.Text
	return nil
}

// Who answers with the id of the node.
func (e *Echo) Who(_ context.Context, _, rsp *Text) error {
	rsp.Text = e.node
	return nil
}

// Wait is Say after the time that the text says.
func (e *Echo) Wait(ctx context.Context, req, rsp *Text) error {
	d, err := time.ParseDuration(req.Text)
	if err != nil {
		return errors.BadRequest("echo", "%v", err)
	}
	wait := time.NewTimer(d)
	defer wait.Stop()
	select {
	case <-wait.C:
	case <-ctx.Done():
		return ctx.Err()
	}
	rsp.Text = req.Text
	return nil
}

// Missing returns an error with code 404.
func (e *Echo) Missing(_ context.Context, req, _ *Text) error {
	return errors.NotFound("echo", "no %s here", req.Text)
}

// Panic panics.
func (e *Echo) Panic(context.Context, *Text, *Text) error { panic("out of cheese") }

// Big answers with 5 MiB.
func (e *Echo) Big(_ context.Context, _, rsp *Text) error {
	rsp.Text = strings.Repeat("x", 5<<20)
	return nil
}

// Greeter is served by every node of a fleet too, by code of v2's generator.
type Greeter struct{}

// Hello greets, and says what it was asked.
func (Greeter) Hello(_ context.Context, req *legacypb.HelloRequest, rsp *legacypb.HelloReply) error {
	rsp.Greeting, rsp.Asked = "Hello "+req.Name, req
	return nil
}

// ReadAll answers nothing.
func (Greeter) ReadAll(context.Context, *legacypb.HelloRequest, *legacypb.HelloReply) error {
	return nil
}

// Count ends its stream at once.
func (Greeter) Count(context.Context, *legacypb.HelloRequest, legacypb.Greeter_CountStream) error {
	return nil
}

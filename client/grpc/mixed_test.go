package grpc

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/structpb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/rollcall-go/micro/client"
	"github.com/rollcall-go/micro/codec/bytes"
)

// TestMixed checks that each of many answers at once is that to its question.
func TestMixed(t *testing.T) {
	t.Parallel()
	const workers, calls = 32, mixedCalls
	a, b := serve(t, echo), serve(t, echo)
	c := newClient(t, client.Registry(register(t, service("echo", a, b))), client.RequestTimeout(time.Minute))
	var all sync.WaitGroup
	for w := range workers {
		all.Go(func() {
			for i := range calls {
				what := fmt.Sprintf("%d/%d 服务 %0*d", w, i, i, 7)
				if err := ask(t, c, i%4, what); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
}

// ask makes a call of one of four kinds and checks the answer.
func ask(t *testing.T, c client.Client, kind int, what string) error {
	switch kind {
	case 0:
		if got, err := say(t.Context(), c, what); err != nil || got != what {
			return fmt.Errorf("proto: asked %q, got %q, %w", what, got, err)
		}
	case 1:
		var rsp wrapperspb.StringValue
		err := c.Call(t.Context(), c.NewRequest("echo", "Echo.Say", wrapperspb.String(what), client.WithContentType("application/json")), &rsp)
		if err != nil || rsp.Value != what {
			return fmt.Errorf("protobuf as JSON: asked %q, got %q, %w", what, rsp.Value, err)
		}
	case 2:
		var rsp any
		err := c.Call(t.Context(), c.NewRequest("echo", "Echo.Say", what, client.WithContentType("application/json")), &rsp)
		if err != nil || rsp != what {
			return fmt.Errorf("JSON: asked %q, got %q, %w", what, rsp, err)
		}
	default:
		_, err := say(t.Context(), c, "404"+what)
		if e := fault(t, err); e.Code != 404 || e.Detail != "404"+what {
			return fmt.Errorf("error: asked %q, got %w", what, err)
		}
	}
	return nil
}

func TestBodies(t *testing.T) {
	n := serve(t, echo)
	c := newClient(t, client.Registry(register(t, service("echo", n))))

	frame := new(bytes.Frame)
	err := c.Call(t.Context(), c.NewRequest("echo", "Echo.Say", &bytes.Frame{Data: []byte(`"raw"`)}, client.WithContentType("application/json")), frame)
	if err != nil || string(frame.Data) != `"raw"` {
		t.Errorf("got %q, %v", frame.Data, err)
	}

	var value structpb.Value
	if err := c.Call(t.Context(), c.NewRequest("echo", "Echo.Say", structpb.NewStringValue("x"), client.WithContentType("application/json")), &value); err != nil || value.GetStringValue() != "x" {
		t.Errorf("got %v, %v", &value, err)
	}

	err = c.Call(t.Context(), c.NewRequest("echo", "Echo.Say", "no message"), &wrapperspb.StringValue{})
	if e := fault(t, err); e.Code != 500 {
		t.Errorf("a string as protobuf: got %v", err)
	}
}

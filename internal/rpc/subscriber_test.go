package rpc_test

import (
	"context"
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/rollcall-go/micro/internal/rpc"
	"github.com/rollcall-go/micro/internal/testkit/currentpb"
)

// Mail takes messages by its methods.
type Mail struct{ got []string }

func (m *Mail) Welcome(_ context.Context, in *currentpb.SayRequest) error {
	m.got = append(m.got, "welcome "+in.Text)
	return nil
}

// Farewell takes its message by value.
func (m *Mail) Farewell(_ context.Context, in Text) error {
	return errors.New("no farewell to " + in.Text)
}

// Text is a message that is no protobuf.
type Text struct{ Text string }

// helped has a method that takes no message.
type helped struct{}

func (helped) Take(context.Context, *Text) error { return nil }
func (helped) Len() int                          { return 0 }

type secret struct{}

func TestFunctions(t *testing.T) {
	m := &Mail{}
	all, err := rpc.NewFunctions(m)
	if err != nil || len(all) != 2 {
		t.Fatalf("got %v, %v", all, err)
	}
	farewell, welcome := all[0], all[1]
	if farewell.Endpoint != "Mail.Farewell" || welcome.Endpoint != "Mail.Welcome" {
		t.Errorf("they are called %s and %s", farewell.Endpoint, welcome.Endpoint)
	}
	in := welcome.Target().(*currentpb.SayRequest)
	in.Text = "a"
	if err := welcome.Invoke(t.Context(), welcome.Message(in)); err != nil || len(m.got) != 1 || m.got[0] != "welcome a" {
		t.Errorf("got %q, %v", m.got, err)
	}
	target := farewell.Target().(*Text)
	target.Text = "b"
	if err := farewell.Invoke(t.Context(), farewell.Message(target)); err == nil || err.Error() != "no farewell to b" {
		t.Errorf("got %v", err)
	}
	if err := welcome.Invoke(t.Context(), "replaced"); err == nil || !strings.Contains(err.Error(), "Mail.Welcome") {
		t.Errorf("a message of another type: %v", err)
	}
}

func TestFunctionsAreDescribedAsByV2(t *testing.T) {
	all, err := rpc.NewFunctions(func(context.Context, *Text) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	e := all[0].Describe("my.topic")
	if e.Name != "Func" || e.Response != nil || !reflect.DeepEqual(e.Metadata, map[string]string{"topic": "my.topic", "subscriber": "true"}) {
		t.Errorf("got %+v", e)
	}
	if r := e.Request; r == nil || r.Name != "Text" || len(r.Values) != 1 {
		t.Errorf("its message is described as %+v", r)
	}
}

func TestWhatIsNoSubscriberIsRefused(t *testing.T) {
	for says, v := range map[string]any{
		"nil: give it":                     nil,
		"it is nil":                        (*Mail)(nil),
		"func(context.Context) error, not": func(context.Context) error { return nil },
		"not a context.Context":            func(string, *Text) error { return nil },
		"is not exported":                  func(context.Context, *secret) error { return nil },
		"exactly one error":                func(context.Context, *Text) {},
		"not a func(context.Context, *T)":  func(context.Context, ...Text) error { return nil },
		"method Len":                       helped{},
		"no exported methods":              secret{},
	} {
		if _, err := rpc.NewFunctions(v); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%T: got %v, want %q", v, err, says)
		}
	}
	if _, err := rpc.NewFunctions((func(context.Context, *Text) error)(nil)); err == nil {
		t.Error("a nil function was taken")
	}
}

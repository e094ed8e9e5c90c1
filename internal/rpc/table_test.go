package rpc_test

import (
	"context"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/rollcall-go/micro/errors"
	"github.com/rollcall-go/micro/internal/rpc"
	"github.com/rollcall-go/micro/server"
)

type Question struct{ Text string }
type Answer struct{ Text string }
type hidden struct{}

// Mixed has methods of every form.
type Mixed struct{}

func (*Mixed) Ask(_ context.Context, q *Question, a *Answer) error {
	a.Text = "to " + q.Text
	return nil
}
func (*Mixed) AskValue(_ context.Context, q Question, a *Answer) error {
	a.Text = "value " + q.Text
	return nil
}
func (*Mixed) Fail(context.Context, *Question, *Answer) error { return errors.NotFound("id", "no") }
func (*Mixed) ReadAll(context.Context, *Question, *Answer) error {
	return nil
}
func (*Mixed) Talk(context.Context, server.Stream) error { return nil }

func (*Mixed) BadCount(context.Context) error                     { return nil }
func (*Mixed) BadContext(string, *Question, *Answer) error        { return nil }
func (*Mixed) BadRequest(context.Context, *hidden, *Answer) error { return nil }
func (*Mixed) BadResponse(context.Context, *Question, Answer) error {
	return nil
}
func (*Mixed) BadResult(context.Context, *Question, *Answer) string { return "" }
func (*Mixed) BadStream(context.Context, *Question) error           { return nil }

func newHandler(t *testing.T, v any) *rpc.Handler {
	t.Helper()
	h, err := rpc.NewHandler(v)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func TestHandlerMethods(t *testing.T) {
	h := newHandler(t, &Mixed{})
	var names []string
	for _, m := range h.Methods {
		names = append(names, m.Endpoint)
	}
	if got, want := strings.Join(names, " "), "Mixed.Ask Mixed.AskValue Mixed.Fail Mixed.ReadAll Mixed.Talk"; got != want {
		t.Errorf("methods are %s, want %s", got, want)
	}
	var skipped []string
	for _, s := range h.Skipped {
		skipped = append(skipped, s.Name)
		if s.Reason == nil {
			t.Errorf("%s has no reason", s.Name)
		}
	}
	if got, want := strings.Join(skipped, " "), "BadContext BadCount BadRequest BadResponse BadResult BadStream"; got != want {
		t.Errorf("skipped are %s, want %s", got, want)
	}
}

type none struct{}

func (none) Ask(context.Context, *Question, *Answer) error { return nil }

// Empty has no method that can be called.
type Empty struct{}

func (Empty) Sum(a, b int) int { return a + b }

func TestNoHandler(t *testing.T) {
	for _, v := range []any{nil, none{}, &none{}, Empty{}, func() {}, 7, struct{}{}} {
		if _, err := rpc.NewHandler(v); err == nil {
			t.Errorf("%T became a handler", v)
		}
	}
	if _, err := rpc.NewHandler(Empty{}); !strings.Contains(err.Error(), "Sum") {
		t.Errorf("the error does not name the method: %v", err)
	}
}

func TestCall(t *testing.T) {
	var table rpc.Table
	if err := table.Add(newHandler(t, &Mixed{})); err != nil {
		t.Fatal(err)
	}
	for method, want := range map[string]string{"Ask": "to you", "AskValue": "value you"} {
		m, err := table.Find("Mixed", method)
		if err != nil {
			t.Fatal(err)
		}
		call := m.NewCall()
		call.Target.(*Question).Text = "you"
		if err := call.Invoke(t.Context(), call.Response); err != nil {
			t.Fatal(err)
		}
		if got := call.Response.(*Answer).Text; got != want {
			t.Errorf("%s answers %q, want %q", method, got, want)
		}
	}
	m, _ := table.Find("Mixed", "Fail")
	call := m.NewCall()
	if err := call.Invoke(t.Context(), call.Response); errors.FromError(err).Code != 404 {
		t.Errorf("got %v", err)
	}
}

func TestFindMethod(t *testing.T) {
	var table rpc.Table
	if _, err := table.Find("Mixed", "Ask"); status.Convert(err).Message() != "unknown service Mixed" {
		t.Errorf("an empty table answers %v", err)
	}
	if err := table.Add(newHandler(t, &Mixed{})); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"ReadAll", "read_all", "readAll", "Read_all"} {
		if _, err := table.Find("Mixed", name); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	_, err := table.Find("Mixed", "Nope")
	if s := status.Convert(err); s.Code() != codes.Unimplemented || s.Message() != "unknown service Mixed.Nope" {
		t.Errorf("got %v", err)
	}
	if err := table.Add(newHandler(t, Mixed2{})); err != nil {
		t.Error(err)
	}
	if err := table.Add(newHandler(t, &Mixed{})); err == nil {
		t.Error("two handlers of one name")
	}
	if hs := table.Handlers(); len(hs) != 2 || hs[0].Name != "Mixed" {
		t.Errorf("handlers are %v", hs)
	}
}

// Mixed2 has its methods from another type.
type Mixed2 struct{ none }

func BenchmarkInvoke(b *testing.B) {
	h, err := rpc.NewHandler(&Mixed{})
	if err != nil {
		b.Fatal(err)
	}
	ctx := b.Context()
	b.ReportAllocs()
	for b.Loop() {
		call := h.Methods[2].NewCall()
		_ = call.Request()
		_ = call.Invoke(ctx, call.Response)
	}
}

// Loop points to itself.
type Loop *Loop

// Of is a handler with a type argument.
type Of[T any] struct{}

func (Of[T]) Get(context.Context, *T, *T) error         { return nil }
func (Of[T]) Loop(context.Context, Loop, *string) error { return nil }

func TestHandlerWithTypeArguments(t *testing.T) {
	h, err := rpc.NewHandler(Of[rpc.Body]{})
	if err != nil {
		t.Fatal(err)
	}
	if h.Name != "Of" || h.Methods[0].Endpoint != "Of.Get" || len(h.Methods) != 2 {
		t.Errorf("the handler is %+v", h)
	}
}

// told is a handler that describes its methods, or others.
type told struct {
	calls *int
	server.Methods
}

func (told) Hello(context.Context, *string, *int) error {
	return errors.InternalServerError("x", "called by reflection")
}

// Told has an exported name.
type Told struct{ told }

func describedHello(calls *int) server.Method {
	return server.Method{
		Name: "hello",
		New:  func() (any, any) { return new(string), new(int) },
		Call: func(_ context.Context, req, rsp any) error {
			*calls++
			*rsp.(*int) = len(*req.(*string))
			return nil
		},
	}
}

func TestDescribedMethods(t *testing.T) {
	calls := 0
	h, err := rpc.NewHandler(&Told{told{&calls, server.Methods{describedHello(&calls)}}})
	if err != nil {
		t.Fatal(err)
	}
	if len(h.Methods) != 1 || len(h.Skipped) != 0 {
		t.Errorf("methods %v, skipped %v: want Hello alone", h.Methods, h.Skipped)
	}
	call := h.Methods[0].NewCall()
	*call.Target.(*string) = "four"
	if err := call.Invoke(t.Context(), call.Response); err != nil || *call.Response.(*int) != 4 || calls != 1 {
		t.Errorf("%v, %d, called %d times", err, *call.Response.(*int), calls)
	}
	if req := call.Request().(*string); *req != "four" {
		t.Errorf("request %q", *req)
	}
}

// A description that does not fit is refused when the handler is made, not when it
// is called.
func TestDescriptionsThatDoNotFit(t *testing.T) {
	for want, change := range map[string]func(*server.Method){
		`"nope", which it does not have`:   func(m *server.Method) { m.Name = "nope" },
		"New or Call is nil":               func(m *server.Method) { m.New = nil },
		"Call is nil":                      func(m *server.Method) { m.Call = nil },
		"its request is a *bool":           func(m *server.Method) { m.New = func() (any, any) { return new(bool), new(int) } },
		"its response is a *bool, that of": func(m *server.Method) { m.New = func() (any, any) { return new(string), new(bool) } },
		"its request is a <nil>":           func(m *server.Method) { m.New = func() (any, any) { return nil, nil } },
	} {
		m := describedHello(new(int))
		change(&m)
		if _, err := rpc.NewHandler(&Told{told{new(int), server.Methods{m}}}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

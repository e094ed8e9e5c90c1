package recovery_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/rollcall-go/micro/client"
	"github.com/rollcall-go/micro/errors"
	"github.com/rollcall-go/micro/internal/testkit/stub"
	"github.com/rollcall-go/micro/logger"
	"github.com/rollcall-go/micro/registry"
	"github.com/rollcall-go/micro/server"
	"github.com/rollcall-go/micro/wrapper/recovery"
)

func captureLog(t *testing.T) *bytes.Buffer {
	log := new(bytes.Buffer)
	if err := logger.Init(logger.WithOutput(log)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = logger.Init(logger.WithOutput(os.Stdout)) })
	return log
}

func TestPanicsBecomeErrors(t *testing.T) {
	var what any
	handler := recovery.NewHandlerWrapper()(func(context.Context, server.Request, any) error { panic(what) })
	subscriber := recovery.NewSubscriberWrapper()(func(context.Context, server.Message) error { panic(what) })
	call := recovery.NewCallWrapper()(func(context.Context, *registry.Node, client.Request, any, client.CallOptions) error { panic(what) })
	for name, f := range map[string]func() error{
		"handler":    func() error { return handler(t.Context(), &stub.Served{Name: "greeter", Path: "greeter"}, nil) },
		"subscriber": func() error { return subscriber(t.Context(), &stub.Published{On: "greeter"}) },
		"call": func() error {
			return call(t.Context(), nil, &stub.Request{Name: "greeter", Path: "greeter"}, nil, client.CallOptions{})
		},
	} {
		log := captureLog(t)
		what = "boom 100%"
		if e := errors.FromError(f()); e.GetCode() != 500 || e.Id != "greeter" || e.Detail != "panic recovered: boom 100%" {
			t.Errorf("%s: %v", name, e)
		}
		if text := log.String(); strings.Count(text, "panic recovered: boom 100%: in \"greeter\": at ") != 1 || !strings.Contains(text, "recovery_test.go:") || strings.Count(text, "\n") != 1 {
			t.Errorf("%s: logged %q", name, text)
		}
		what = strings.Repeat("x", 1<<20)
		if e := errors.FromError(f()); len(e.Detail) > 300 {
			t.Errorf("%s: the caller is told %d bytes", name, len(e.Detail))
		}
	}
}

func ExampleNewHandlerWrapper() {
	_ = logger.Init(logger.WithOutput(new(bytes.Buffer)))
	defer func() { _ = logger.Init(logger.WithOutput(os.Stdout)) }()
	handler := recovery.NewHandlerWrapper()(func(context.Context, server.Request, any) error { panic("boom") })
	err := handler(context.Background(), &stub.Served{Name: "greeter", Path: "Greeter.Hello"}, nil)
	fmt.Println(err)
	// Output: {"id":"greeter","code":500,"detail":"panic recovered: boom","status":"Internal Server Error"}
}

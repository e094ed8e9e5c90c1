package micro

import (
	"context"
	"runtime"
	"strings"
	"sync"

	"github.com/rollcall-go/micro/client"
	"github.com/rollcall-go/micro/debug/profile"
	"github.com/rollcall-go/micro/debug/service/handler"
	"github.com/rollcall-go/micro/debug/trace"
	_ "github.com/rollcall-go/micro/debug/trace/memory" // the default tracer
	"github.com/rollcall-go/micro/internal/tracing"
	"github.com/rollcall-go/micro/logger"
	"github.com/rollcall-go/micro/metadata"
	"github.com/rollcall-go/micro/server"
)

// debugging is the handler Debug of a service.
type debugging struct {
	once sync.Once
	done chan struct{} // closed when the streams of the handler are to end
}

// add adds the handler to the server, unless none of its methods is to be served.
func (d *debugging) add(o Options) {
	so := o.Server.Options()
	methods := handler.MethodsOf(so)
	if methods != nil && len(methods) == 0 {
		return
	}
	h := handler.New(handler.Settings{Client: o.Client, Tracer: so.Tracer, Methods: methods, Done: d.done})
	if err := o.Server.Handle(o.Server.NewHandler(h, server.InternalHandler(true))); err != nil {
		// The program has a handler of that name, which goes before.
		logger.Debugf("Service [debug] The handler Debug is not added: %v", err)
	}
}

// end ends the streams of the handler, which would hold up the stop.
func (d *debugging) end() { d.once.Do(func() { close(d.done) }) }

// aboutService reports whether an endpoint is one by which a service is asked about
// itself.
func aboutService(endpoint string) bool { return strings.HasPrefix(endpoint, "Debug.") }

// Rates at which the runtime samples while a profile is taken, which are v2's: one in five
// waits for a mutex, and every blocking event.
const (
	mutexFraction = 5
	blockRate     = 1
)

// profiled starts the profile, which may be nil, and returns what stops it.
func profiled(p profile.Profile) (stop func() error, err error) {
	if p == nil {
		return func() error { return nil }, nil
	}
	before := runtime.SetMutexProfileFraction(mutexFraction)
	runtime.SetBlockProfileRate(blockRate)
	quiet := func() {
		runtime.SetMutexProfileFraction(before)
		runtime.SetBlockProfileRate(0)
	}
	if err := p.Start(); err != nil {
		quiet()
		return nil, err
	}
	return func() error {
		defer quiet()
		return p.Stop()
	}, nil
}

// headerSpan is the header in which package debug/trace puts the span of a call.
const headerSpan = HeaderPrefix + "Span-Id"

// tracerOf returns what keeps the span of a call made under ctx, nil if that is to have
// none.
func (n *name) tracerOf(ctx context.Context) trace.Tracer {
	v := n.v.Load()
	if v != nil && v.tracer != nil {
		return v.tracer
	}
	if !metadata.Has(ctx) {
		return nil // it is made for no other call
	}
	if _, found := metadata.Get(ctx, headerSpan); found {
		return trace.DefaultTracer
	}
	return nil
}

// traced calls within a span.
func (c *named) traced(ctx context.Context, t trace.Tracer, req client.Request, rsp any, opts []client.CallOption) error {
	ctx, span := tracing.Start(ctx, t, trace.SpanTypeRequestOutbound, req.Service(), req.Endpoint())
	err := c.Client.Call(ctx, req, rsp, opts...)
	span.End(err)
	return err
}

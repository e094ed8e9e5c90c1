// Package handler answers for a service: whether it is well, what it has served, what it
// logged, which calls it saw.
//
// Every service of micro.NewService has such a handler, under the name Debug, as those of
// go-micro v2 do. It is internal: it is served like any other, wrappers surround it, and
// it does not stand in the registry. Methods says which of its methods are served.
package handler

import (
	"context"
	"slices"

	"github.com/rollcall-go/micro/client"
	"github.com/rollcall-go/micro/debug/log"
	proto "github.com/rollcall-go/micro/debug/service/proto"
	"github.com/rollcall-go/micro/debug/stats"
	"github.com/rollcall-go/micro/debug/trace"
	"github.com/rollcall-go/micro/errors"
)

// errorID is the Id of the handler's errors.
const errorID = "go.micro.server"

// Debug is the handler.
type Debug struct{ s Settings }

// Settings are what a handler answers from.
type Settings struct {
	// Client is whose cache is meant. Nil means none.
	Client client.Client
	// Log, Stats and Tracer are asked. Nil means the default of the package.
	Log    log.Log
	Stats  stats.Stats
	Tracer trace.Tracer
	// Methods are those that are served, such as Health. Nil means all.
	Methods []string
	// Done ends the streams of Log when it is closed. Nil means that their callers do.
	Done <-chan struct{}
}

// NewHandler returns a handler that answers from the defaults and the cache of c.
func NewHandler(c client.Client) *Debug { return New(Settings{Client: c}) }

// New returns a handler that answers from the settings.
func New(s Settings) *Debug {
	if s.Log == nil {
		s.Log = log.DefaultLog
	}
	if s.Stats == nil {
		s.Stats = stats.DefaultStats
	}
	if s.Tracer == nil {
		s.Tracer = trace.DefaultTracer
	}
	return &Debug{s}
}

// served returns an error for a method that is not.
func (d *Debug) served(method string) error {
	if d.s.Methods == nil || slices.Contains(d.s.Methods, method) {
		return nil
	}
	return errors.Forbidden(errorID, "Debug.%s is switched off in this service, by the option Methods of debug/service/handler or by --debug_handler", method)
}

// Health answers "ok".
func (d *Debug) Health(_ context.Context, _ *proto.HealthRequest, rsp *proto.HealthResponse) error {
	if err := d.served("Health"); err != nil {
		return err
	}
	rsp.Status = "ok"
	return nil
}

// Stats returns the numbers of the moment.
func (d *Debug) Stats(_ context.Context, _ *proto.StatsRequest, rsp *proto.StatsResponse) error {
	if err := d.served("Stats"); err != nil {
		return err
	}
	all, err := d.s.Stats.Read()
	if err != nil || len(all) == 0 {
		return err
	}
	now := all[len(all)-1]
	rsp.Timestamp = uint64(now.Timestamp)
	rsp.Started = uint64(now.Started)
	rsp.Uptime = uint64(now.Uptime)
	rsp.Memory = now.Memory
	rsp.Threads = now.Threads
	rsp.Gc = now.GC
	rsp.Requests = now.Requests
	rsp.Errors = now.Errors
	return nil
}

// Trace returns the spans that are kept, of one trace or of all.
func (d *Debug) Trace(_ context.Context, req *proto.TraceRequest, rsp *proto.TraceResponse) error {
	if err := d.served("Trace"); err != nil {
		return err
	}
	spans, err := d.s.Tracer.Read(trace.ReadTrace(req.GetId()))
	if err != nil {
		return err
	}
	for _, s := range spans {
		rsp.Spans = append(rsp.Spans, &proto.Span{
			Trace:    s.Trace,
			Id:       s.Id,
			Parent:   s.Parent,
			Name:     s.Name,
			Started:  uint64(s.Started.UnixNano()),
			Duration: uint64(s.Duration),
			Metadata: s.Metadata,
			Type:     typeOf(s),
		})
	}
	return nil
}

func typeOf(s *trace.Span) proto.SpanType {
	if s.Type == trace.SpanTypeRequestOutbound {
		return proto.SpanType_OUTBOUND
	}
	return proto.SpanType_INBOUND
}

// Cache returns the answers that the client keeps.
func (d *Debug) Cache(_ context.Context, _ *proto.CacheRequest, rsp *proto.CacheResponse) error {
	if err := d.served("Cache"); err != nil {
		return err
	}
	if d.s.Client == nil {
		return nil
	}
	if kept := d.s.Client.Options().Cache; kept != nil {
		rsp.Values = kept.List()
	}
	return nil
}

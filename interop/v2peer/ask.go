package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"

	debug "github.com/micro/go-micro/v2/debug/service/proto"

	"github.com/rollcall-go/micro/interop/peer"
)

// lines is how many lines of a log are asked for.
const lines = 100

// ask asks a service about itself, through the generated code.
func (p *program) ask(ctx context.Context, body json.RawMessage, _ func(any)) (any, error) {
	var of peer.Name
	if err := json.Unmarshal(body, &of); err != nil {
		return nil, err
	}
	var out peer.Debug
	service := debug.NewDebugService(of.Name, p.caller)
	health, err := service.Health(ctx, &debug.HealthRequest{Service: of.Name})
	if err != nil {
		return nil, describe(err)
	}
	out.Health = health.Status
	stats, err := service.Stats(ctx, &debug.StatsRequest{})
	if err != nil {
		return nil, describe(err)
	}
	out.Requests, out.Errors, out.Started = stats.Requests, stats.Errors, stats.Started
	spans, err := service.Trace(ctx, &debug.TraceRequest{})
	if err != nil {
		return nil, describe(err)
	}
	for _, s := range spans.Spans {
		out.Spans = append(out.Spans, peer.Span{Trace: s.Trace, ID: s.Id, Parent: s.Parent, Name: s.Name, Outbound: s.Type == debug.SpanType_OUTBOUND})
	}
	cache, err := service.Cache(ctx, &debug.CacheRequest{})
	if err != nil {
		return nil, describe(err)
	}
	out.Values = cache.Values
	log, err := service.Log(ctx, &debug.LogRequest{Count: lines})
	if err != nil {
		return nil, describe(err)
	}
	defer log.Close()
	for {
		r, err := log.Recv()
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return nil, describe(err)
		}
		out.Lines = append(out.Lines, r.Message)
	}
}

package micro

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-go/micro/client"
	"github.com/rollcall-go/micro/debug/log"
	debugservice "github.com/rollcall-go/micro/debug/service"
	"github.com/rollcall-go/micro/debug/service/handler"
	proto "github.com/rollcall-go/micro/debug/service/proto"
	"github.com/rollcall-go/micro/debug/trace"
	"github.com/rollcall-go/micro/debug/trace/memory"
	microerrors "github.com/rollcall-go/micro/errors"
	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/metadata"
)

func TestServiceAnswersForItself(t *testing.T) {
	r := newMemory(t)
	s := newNode(t, "greeter", r, &Echo{})
	run(t, s)
	c := proto.NewDebugService("greeter", s.Client())
	if rsp, err := c.Health(t.Context(), &proto.HealthRequest{}); err != nil || rsp.GetStatus() != "ok" {
		t.Fatalf("health: %v, %v", rsp, err)
	}
	before, err := c.Stats(t.Context(), &proto.StatsRequest{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := say(t.Context(), s.Client(), "greeter", "a"); err != nil {
		t.Fatal(err)
	}
	if err := s.Client().Call(t.Context(), s.Client().NewRequest("greeter", "Echo.Shout", &Text{}, client.WithContentType("application/json")), &Text{}); err == nil {
		t.Fatal("a method that there is not was called")
	}
	after, err := c.Stats(t.Context(), &proto.StatsRequest{})
	if err != nil {
		t.Fatal(err)
	}
	// Other tests of the process count as well.
	if after.GetRequests() < before.GetRequests()+3 || after.GetErrors() <= before.GetErrors() {
		t.Errorf("before there were %d requests and %d errors, after %d and %d", before.GetRequests(), before.GetErrors(), after.GetRequests(), after.GetErrors())
	}
	if after.GetTimestamp() == 0 || after.GetStarted() == 0 || after.GetMemory() == 0 || after.GetThreads() == 0 {
		t.Errorf("the stats are %v", after)
	}
	if !logged(t, c, "Starting [service] greeter") {
		t.Error("the log lacks the start of the service")
	}
	if rsp, err := c.Cache(t.Context(), &proto.CacheRequest{}); err != nil || len(rsp.GetValues()) != 0 {
		t.Errorf("the cache: %v, %v", rsp, err)
	}
	got, err := r.GetService("greeter")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range got[0].Endpoints {
		if strings.HasPrefix(e.Name, "Debug.") {
			t.Errorf("the registry has the endpoint %s", e.Name)
		}
	}
}

// logged reports whether the log of a service has the line.
func logged(t *testing.T, c proto.DebugService, line string) bool {
	t.Helper()
	in, err := c.Log(t.Context(), &proto.LogRequest{Count: 1000})
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	for {
		r, err := in.Recv()
		if errors.Is(err, io.EOF) {
			return false
		}
		if err != nil {
			t.Fatal(err)
		}
		if r.GetMessage() == line && r.GetMetadata()["level"] == "info" && r.GetTimestamp() > 0 {
			return true
		}
	}
}

func TestStreamOfTheLogEndsWithTheService(t *testing.T) {
	s := newNode(t, "greeter", newMemory(t), nil)
	stop := run(t, s)
	in, err := proto.NewDebugService("greeter", s.Client()).Log(t.Context(), &proto.LogRequest{Stream: true})
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	if err := log.DefaultLog.Write(log.Record{Message: "a line of this test"}); err != nil {
		t.Fatal(err)
	}
	for {
		r, err := in.Recv()
		if err != nil {
			t.Fatal(err)
		}
		if r.GetMessage() == "a line of this test" {
			break
		}
	}
	began := time.Now()
	if err := stop(); err != nil {
		t.Errorf("stop: %v", err)
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("the stream held the stop up for %v", took)
	}
	for err == nil {
		_, err = in.Recv()
	}
}

// Debug is a handler that a program has under that name.
type Debug struct{}

func (Debug) Health(_ context.Context, _ *proto.HealthRequest, rsp *proto.HealthResponse) error {
	rsp.Status = "the program's own"
	return nil
}

func TestDebugOfTheProgramGoesBefore(t *testing.T) {
	s := newNode(t, "greeter", newMemory(t), nil)
	if err := RegisterHandler(s.Server(), Debug{}); err != nil {
		t.Fatal(err)
	}
	run(t, s)
	rsp, err := proto.NewDebugService("greeter", s.Client()).Health(t.Context(), &proto.HealthRequest{})
	if err != nil || rsp.GetStatus() != "the program's own" {
		t.Errorf("health: %v, %v", rsp, err)
	}
}

func TestDebugIsSwitchedOff(t *testing.T) {
	for name, methods := range map[string][]string{"but for health": {"Health"}, "whole": {}} {
		t.Run(name, func(t *testing.T) {
			s := newNode(t, "greeter", newMemory(t), &Echo{})
			if err := s.Server().Init(handler.Methods(methods...)); err != nil {
				t.Fatal(err)
			}
			run(t, s)
			c := proto.NewDebugService("greeter", s.Client())
			_, err := c.Health(t.Context(), &proto.HealthRequest{})
			if (err == nil) != (len(methods) > 0) {
				t.Errorf("health: %v", err)
			}
			_, stats := c.Stats(t.Context(), &proto.StatsRequest{})
			in, logs := c.Log(t.Context(), &proto.LogRequest{})
			if logs == nil {
				_, logs = in.Recv()
				_ = in.Close()
			}
			for _, err := range []error{stats, logs} {
				var e *microerrors.Error
				if !errors.As(err, &e) || len(methods) > 0 && (e.GetCode() != 403 || !strings.Contains(e.GetDetail(), "switched off")) {
					t.Errorf("what is off answers %v", err)
				}
			}
		})
	}
}

func TestQuestionAboutAFunctionDoesNotEndIt(t *testing.T) {
	r := newMemory(t)
	caller := newNode(t, "caller", r, nil)
	f := NewFunction(Name("fn"), Registry(r), Address("127.0.0.1:0"), HandleSignal(false))
	if err := f.Handle(&Echo{}); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- f.Run() }()
	testkit.Eventually(t, 10*time.Second, "the function is registered", func() bool {
		got, err := r.GetService("fn")
		return err == nil && len(got) > 0
	})
	for range 2 {
		if _, err := proto.NewDebugService("fn", caller.Client()).Health(t.Context(), &proto.HealthRequest{}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := say(t.Context(), caller.Client(), "fn", "a"); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// TestTraceGoesThroughServices follows a trace that begins in one service, goes through
// one that has no tracer, and ends in a third.
func TestTraceGoesThroughServices(t *testing.T) {
	r := newMemory(t)
	first, last := memory.NewTracer(), memory.NewTracer()
	a := newNode(t, "a", r, nil, Tracer(first))
	b := newNode(t, "b", r, nil)
	c := newNode(t, "c", r, &Echo{wrong: errors.New("no more")}, Tracer(last))
	through := &Echo{then: func(ctx context.Context) error {
		_, err := say(ctx, b.Client(), "c", "x")
		return err
	}}
	if err := RegisterHandler(b.Server(), through); err != nil {
		t.Fatal(err)
	}
	run(t, b)
	run(t, c)
	if _, err := say(t.Context(), a.Client(), "b", "x"); err == nil {
		t.Fatal("the error of the last service got lost")
	}
	spans, err := first.Read()
	if err != nil || len(spans) != 1 {
		t.Fatalf("the first service has %d spans, %v", len(spans), err)
	}
	id := spans[0].Trace
	// The client has the answer of b a moment before b has finished its span.
	var between []*trace.Span
	testkit.Eventually(t, 10*time.Second, "both spans of b are kept", func() bool {
		between, err = trace.DefaultTracer.Read(trace.ReadTrace(id))
		return err == nil && len(between) == 2
	})
	var end []*trace.Span
	testkit.Eventually(t, 10*time.Second, "the span of c is kept", func() bool {
		end, err = last.Read(trace.ReadTrace(id))
		return err == nil && len(end) == 1
	})
	out, in := between[0], between[1] // in the order in which they ended
	for _, want := range []struct {
		span   *trace.Span
		name   string
		parent string
		typ    trace.SpanType
	}{
		{spans[0], "b.Echo.Say", "", trace.SpanTypeRequestOutbound},
		{in, "b.Echo.Say", spans[0].Id, trace.SpanTypeRequestInbound},
		{out, "c.Echo.Say", in.Id, trace.SpanTypeRequestOutbound},
		{end[0], "c.Echo.Say", out.Id, trace.SpanTypeRequestInbound},
	} {
		if s := want.span; s.Name != want.name || s.Parent != want.parent || s.Type != want.typ || s.Id == "" || s.Duration <= 0 || s.Metadata["error"] == "" {
			t.Errorf("got %+v, want %+v", s, want)
		}
	}
	rsp, err := proto.NewDebugService("c", a.Client()).Trace(t.Context(), &proto.TraceRequest{Id: id})
	if err != nil || len(rsp.GetSpans()) != 1 || rsp.GetSpans()[0].GetParent() != out.Id {
		t.Errorf("Debug.Trace of c: %v, %v", rsp, err)
	}
}

func TestCallsOfNoTraceHaveNoSpans(t *testing.T) {
	r := newMemory(t)
	var seen metadata.Metadata
	s := newNode(t, "greeter", r, &Echo{then: func(ctx context.Context) error {
		seen, _ = metadata.FromContext(ctx)
		return nil
	}})
	run(t, s)
	if _, err := say(t.Context(), s.Client(), "greeter", "a"); err != nil {
		t.Fatal(err)
	}
	if _, traced := seen["Micro-Span-Id"]; traced {
		t.Errorf("a service without a tracer began a trace: %v", seen)
	}
}

// profiling notes what becomes of it.
type profiling struct {
	recorder
	wrong error
}

func (p *profiling) Start() error {
	p.add("start")
	return p.wrong
}

func (p *profiling) Stop() error {
	p.add("stop")
	return nil
}

func (p *profiling) String() string { return "profiling" }

func TestProfileRunsWithTheService(t *testing.T) {
	p := &profiling{}
	s := newNode(t, "greeter", newMemory(t), nil, Profile(p), BeforeStart(func() error { p.add("service"); return nil }))
	stop := run(t, s)
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(p.take(), " "); got != "start service stop" {
		t.Errorf("in turn: %s", got)
	}
	p.wrong = errors.New("no room on the disk")
	if err := newNode(t, "other", newMemory(t), nil, Profile(p)).Run(); !errors.Is(err, p.wrong) {
		t.Errorf("run with a profile that does not start: %v", err)
	}
}

func TestLogOfAServiceFromElsewhere(t *testing.T) {
	s := newNode(t, "greeter", newMemory(t), nil)
	run(t, s)
	before := client.DefaultClient
	client.DefaultClient = s.Client()
	defer func() { client.DefaultClient = before }()
	l := debugservice.NewLog(log.Name("greeter"))
	stream, err := l.Stream()
	if err != nil {
		t.Fatal(err)
	}
	if err := log.DefaultLog.Write(log.Record{Message: "seen from elsewhere"}); err != nil {
		t.Fatal(err)
	}
	for r := range stream.Chan() {
		if r.Message == "seen from elsewhere" {
			break
		}
	}
	for range 2 {
		if err := stream.Stop(); err != nil {
			t.Fatal(err)
		}
	}
	for range stream.Chan() { // until it is closed
	}
	records, err := l.Read(log.Count(1))
	if err != nil || len(records) != 1 || records[0].Timestamp.IsZero() {
		t.Errorf("read: %v, %v", records, err)
	}
	if records, err = l.Read(log.Since(time.Now().Add(-time.Hour))); err != nil || len(records) < 2 {
		t.Errorf("read what is an hour old: %v, %v", records, err)
	}
	if err := l.Write(log.Record{}); err == nil {
		t.Error("it was written to from elsewhere")
	}
}

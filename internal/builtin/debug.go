package builtin

import (
	"github.com/rollcall-go/micro/debug/profile"
	"github.com/rollcall-go/micro/debug/profile/http"
	"github.com/rollcall-go/micro/debug/profile/pprof"
	"github.com/rollcall-go/micro/debug/trace"
	"github.com/rollcall-go/micro/debug/trace/memory"
)

// The constructors of what watches a service.
type (
	NewTracer  = func(...trace.Option) trace.Tracer
	NewProfile = func(...profile.Option) profile.Profile
)

// Tracers returns the tracers.
func Tracers() []Entry[NewTracer] {
	return []Entry[NewTracer]{
		{Name: "memory", Summary: "the newest spans, for micro trace", New: memory.NewTracer},
		{Name: "jaeger", Missing: "v2 has the name and no tracer behind it either"},
	}
}

// Profiles returns the profilers.
func Profiles() []Entry[NewProfile] {
	return []Entry[NewProfile]{
		{Name: "http", Summary: "at localhost:6060", New: http.NewProfile},
		{Name: "pprof", Summary: "files for go tool pprof", New: pprof.NewProfile},
	}
}

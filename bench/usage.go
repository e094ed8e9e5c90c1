package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"syscall"
)

// usage is what a process has used since it began.
type usage struct {
	CPU     int64  // nanoseconds of all threads, in user and in system mode
	Mallocs uint64 // allocations
	Bytes   uint64 // allocated
	Heap    uint64 // in use
}

func readUsage() (usage, error) {
	var ru syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &ru); err != nil {
		return usage{}, err
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return usage{CPU: ru.Utime.Nano() + ru.Stime.Nano(), Mallocs: m.Mallocs, Bytes: m.TotalAlloc, Heap: m.HeapAlloc}, nil
}

// usageTask answers what the part has used; its input says whether to collect
// garbage first.
func usageTask(_ context.Context, input json.RawMessage) (any, error) {
	var collect bool
	if err := json.Unmarshal(input, &collect); err != nil {
		return nil, err
	}
	if collect {
		runtime.GC()
		runtime.GC() // what finalizers let go of
	}
	return readUsage()
}

// used asks a part what it has used.
func (p *part) used(collect bool) (u usage, err error) {
	return u, p.ask("usage", collect, &u)
}

func (u usage) since(before usage) usage {
	return usage{u.CPU - before.CPU, u.Mallocs - before.Mallocs, u.Bytes - before.Bytes, u.Heap}
}

// profile begins a CPU profile of this process in the directory that BENCH_PROFILE
// names, and returns what ends it; nothing where that is not set.
func profile(name string) (stop func(), err error) {
	dir := os.Getenv("BENCH_PROFILE")
	if dir == "" {
		return func() {}, nil
	}
	f, err := os.Create(filepath.Join(dir, fmt.Sprintf("%s-%d.pprof", name, os.Getpid())))
	if err != nil {
		return nil, err
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		f.Close()
		return nil, err
	}
	return func() {
		pprof.StopCPUProfile()
		f.Close()
	}, nil
}

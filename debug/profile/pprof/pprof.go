// Package pprof writes the profiles of a program into files, for `go tool pprof`.
package pprof

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/pprof"
	"strings"
	"sync"

	"github.com/rollcall-go/micro/debug/profile"
)

// profiler is a profile.Profile.
type profiler struct {
	prefix string

	mu  sync.Mutex // guards cpu
	cpu *os.File   // nil unless it is being written
}

var _ profile.Profile = (*profiler)(nil)

// NewProfile returns a profile that writes cpu.pprof, of what happens from Start to Stop,
// and mem.pprof, of the heap at Stop, into the directory for temporary files, /tmp say.
// With profile.Name the names of the files begin with that and a dot. Files that are
// there are replaced. There is one CPU profile at a time in a process: Start returns an
// error if there is one already.
func NewProfile(opts ...profile.Option) profile.Profile {
	var o profile.Options
	for _, opt := range opts {
		opt(&o)
	}
	p := &profiler{}
	if o.Name != "" {
		p.prefix = strings.ReplaceAll(o.Name, string(filepath.Separator), "_") + "."
	}
	return p
}

func (p *profiler) file(name string) (*os.File, error) {
	return os.OpenFile(filepath.Join(os.TempDir(), p.prefix+name), os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
}

func (p *profiler) Start() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cpu != nil {
		return nil
	}
	f, err := p.file("cpu.pprof")
	if err != nil {
		return fmt.Errorf("write a profile: %w", err)
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		return errors.Join(fmt.Errorf("write a profile: %w", err), f.Close())
	}
	p.cpu = f
	return nil
}

func (p *profiler) Stop() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cpu == nil {
		return nil
	}
	pprof.StopCPUProfile()
	err := p.cpu.Close()
	p.cpu = nil
	return errors.Join(err, p.writeHeap())
}

func (p *profiler) writeHeap() error {
	f, err := p.file("mem.pprof")
	if err != nil {
		return fmt.Errorf("write a profile of the heap: %w", err)
	}
	return errors.Join(pprof.WriteHeapProfile(f), f.Close())
}

// String returns "pprof".
func (p *profiler) String() string { return "pprof" }

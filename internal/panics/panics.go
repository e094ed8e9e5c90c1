// Package panics describes panics that were recovered from for the log.
package panics

import (
	"fmt"
	"path"
	"runtime"
	"strings"
	"time"

	"github.com/rollcall-go/micro/internal/defaults"
	"github.com/rollcall-go/micro/internal/excerpt"
	"github.com/rollcall-go/micro/internal/once"
)

// Log bounds what is logged of panics: whoever finds a handler that panics must not fill
// the disk with it. The zero value is ready for use, by several goroutines at once.
type Log struct{ stacks once.Rate }

// Describe returns what to log of a panic with the value v: the beginning of its text,
// and where it happened, ": at " and the calls that led to it, which is empty for those
// beyond the first few of a second. It is called by the deferred function that recovered.
func (l *Log) Describe(v any) (text, at string) {
	text = excerpt.Of(fmt.Sprint(v), defaults.PanicTextSize)
	if l.stacks.Allow(time.Now(), defaults.PanicStacksPerSecond) {
		at = ": at " + stack()
	}
	return text, at
}

// stack returns the calls that led to the panic which is being recovered from, the
// innermost first, in one line.
func stack() string {
	var pcs [64]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(0, pcs[:])])
	var calls []string
	panicking := false
	for {
		f, more := frames.Next()
		switch {
		case f.Function == "runtime.gopanic":
			panicking, calls = true, nil
		case panicking && !strings.HasPrefix(f.Function, "runtime."):
			dir, file := path.Split(f.File)
			calls = append(calls, fmt.Sprintf("%s (%s:%d)", f.Function, path.Join(path.Base(dir), file), f.Line))
		}
		if !more {
			return strings.Join(calls, " < ")
		}
	}
}

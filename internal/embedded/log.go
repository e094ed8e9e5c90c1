package embedded

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"unicode"

	"go.uber.org/zap/zapcore"
)

// harmless are warnings and errors of a healthy single member, which ask for
// nothing that the user of one could do, and those of a cluster that say every few
// seconds what "peer became inactive" and Config.Waiting have said.
var harmless = []string{
	"Running http and grpc server on single port",
	"failed to update storage version",
	"Failed to detect schema version",
	"simple token is not cryptographically signed",
	"prober detected unhealthy status",
	"failed to publish local member",
}

// lineCore writes each log entry as one readable line:
//
//	2026-11-22 13:21:23  warn  etcd: apply request took too long  took=1.2s
//
// After close it writes nothing: what etcd reports while it is being stopped is
// the stopping.
type lineCore struct {
	zapcore.LevelEnabler
	fields []zapcore.Field
	out    *output
}

var _ zapcore.Core = (*lineCore)(nil)

// output is the writer that all cores derived from one share.
type output struct {
	mu     sync.Mutex
	w      io.Writer
	closed bool
	start  context.Context // while the etcd is being started
}

func newLineCore(w io.Writer, level zapcore.Level) *lineCore {
	return &lineCore{LevelEnabler: level, out: &output{w: w}}
}

// close makes the core, and all derived from it, silent.
func (c *lineCore) close() {
	c.out.mu.Lock()
	defer c.out.mu.Unlock()
	c.out.closed = true
}

// during makes the core silent as soon as ctx, that of the start, is over, unless the
// start has succeeded by then: what etcd reports once it is to end is the ending.
func (c *lineCore) during(ctx context.Context) (succeeded func()) {
	c.out.mu.Lock()
	defer c.out.mu.Unlock()
	c.out.start = ctx
	return func() {
		c.out.mu.Lock()
		defer c.out.mu.Unlock()
		c.out.start = nil
	}
}

// With returns a core that adds fields to each entry.
func (c *lineCore) With(fields []zapcore.Field) zapcore.Core {
	all := append(append([]zapcore.Field(nil), c.fields...), fields...)
	return &lineCore{LevelEnabler: c.LevelEnabler, fields: all, out: c.out}
}

// Check adds the core to the entry when its level is enabled.
func (c *lineCore) Check(e zapcore.Entry, ce *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	if !c.Enabled(e.Level) {
		return ce
	}
	return ce.AddCore(e, c)
}

// Write writes the entry, unless it is harmless or the core is closed.
func (c *lineCore) Write(e zapcore.Entry, fields []zapcore.Field) error {
	for _, h := range harmless {
		if strings.HasPrefix(e.Message, h) {
			return nil
		}
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s  %-5s etcd: %s", e.Time.Format("2006-01-02 15:04:05"), e.Level, oneLine(e.Message))
	for _, f := range c.fields {
		writeField(&b, f)
	}
	for _, f := range fields {
		writeField(&b, f)
	}
	b.WriteByte('\n')

	c.out.mu.Lock()
	defer c.out.mu.Unlock()
	if c.out.closed || c.out.start != nil && c.out.start.Err() != nil {
		return nil
	}
	_, err := io.WriteString(c.out.w, b.String())
	return err
}

// Sync does nothing: lines are not held back.
func (c *lineCore) Sync() error { return nil }

// writeField appends "  key=value" for each key that the field encodes to.
func writeField(b *strings.Builder, f zapcore.Field) {
	enc := zapcore.NewMapObjectEncoder()
	f.AddTo(enc)
	for k, v := range enc.Fields {
		s := oneLine(fmt.Sprint(v))
		if strings.ContainsAny(s, " =\"") {
			s = fmt.Sprintf("%q", s)
		}
		fmt.Fprintf(b, "  %s=%s", k, s)
	}
}

// oneLine keeps a text from looking like several entries, and from commanding the
// terminal that it may be shown on: clients choose some of what etcd logs.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return '?'
	}, strings.ReplaceAll(s, "\n", " | "))
}

// parkingHook takes the place of the exit and the panic with which etcd answers
// what it cannot recover from. It hands the reason to whoever waits for it and
// parks the goroutine for good, so that nothing goes on from a broken state.
type parkingHook struct {
	failed chan error
	park   chan struct{} // nobody sends on it
}

var _ zapcore.CheckWriteHook = parkingHook{}

func newParkingHook() parkingHook {
	return parkingHook{failed: make(chan error, 1)} // park is nil: it blocks for good
}

// OnWrite reports the entry and does not return.
func (h parkingHook) OnWrite(ce *zapcore.CheckedEntry, fields []zapcore.Field) {
	err := errors.New(oneLine(ce.Message))
	for _, f := range fields {
		if cause, ok := f.Interface.(error); ok {
			err = fmt.Errorf("%s: %w", oneLine(ce.Message), cause)
		}
	}
	select {
	case h.failed <- err:
	default: // the first failure is the one that counts
	}
	<-h.park
}

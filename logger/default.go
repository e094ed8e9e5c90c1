package logger

import (
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/rollcall-go/micro/debug/log"
)

// levelVariable is the environment variable with the level of DefaultLogger.
const levelVariable = "MICRO_LOG_LEVEL"

// base is what a logger shares with all loggers that Fields derived from it.
type base struct {
	// setup runs prepare once, before anything else.
	setup   sync.Once
	prepare func(*base)

	mu   sync.RWMutex // guards opts
	opts Options

	writing sync.Mutex // keeps lines whole
}

func newBase() *base {
	return &base{
		prepare: func(*base) {},
		opts:    Options{Level: InfoLevel, CallerSkipCount: helperDepth},
	}
}

// newFromEnv returns a logger that takes its level from the environment when it
// is first used.
func newFromEnv() *defaultLogger {
	b := newBase()
	b.prepare = (*base).levelFromEnv
	return &defaultLogger{base: b}
}

func (b *base) levelFromEnv() {
	name := os.Getenv(levelVariable)
	if name == "" {
		return
	}
	level, err := GetLevel(name)
	if err != nil {
		b.write(b.opts.Out, time.Now(), map[string]any{"level": WarnLevel}, fmt.Sprintf("read %s: %v; info is used", levelVariable, err))
	}
	b.opts.Level = level
}

// options returns the settings in force. Their map must not be written.
func (b *base) options() Options {
	b.setup.Do(func() { b.prepare(b) })
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.opts
}

func (b *base) apply(opts []Option) {
	b.setup.Do(func() { b.prepare(b) })
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, o := range opts {
		o(&b.opts)
	}
	b.opts.Fields = maps.Clone(b.opts.Fields)
}

// write writes one line, whatever the message and the fields hold, and keeps it in
// log.DefaultLog. A line that cannot be written is lost: there is nowhere left to say so.
func (b *base) write(out io.Writer, at time.Time, fields map[string]any, message string) {
	if out == nil {
		out = os.Stdout
	}
	var line strings.Builder
	line.WriteString(at.Format("2006-01-02 15:04:05 "))
	record := log.Record{Timestamp: at, Metadata: make(map[string]string, len(fields))}
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		value := escape(fmt.Sprint(fields[name]))
		record.Metadata[name] = excerpt(value)
		line.WriteString(" " + escape(name) + "=" + value)
	}
	message = escape(strings.TrimRight(message, "\r\n"))
	record.Message = excerpt(message)
	_ = log.DefaultLog.Write(record) // nobody to tell
	line.WriteString(" " + message + "\n")
	b.writing.Lock()
	defer b.writing.Unlock()
	_, _ = io.WriteString(out, line.String())
}

// excerptLimit is how many bytes of a message, or of a field, package debug/log keeps.
const excerptLimit = 4 << 10

// excerpt returns the beginning of a text that is too long to keep.
func excerpt(s string) string {
	if len(s) <= excerptLimit {
		return s
	}
	return strings.ToValidUTF8(s[:excerptLimit], "") + "..."
}

// defaultLogger is the Logger of this package.
type defaultLogger struct {
	base   *base
	fields map[string]any // beside those of base; never written to
}

var _ Logger = (*defaultLogger)(nil)

// Init reaches the loggers as well that share their settings with this one
// through Fields.
func (l *defaultLogger) Init(opts ...Option) error {
	l.base.apply(opts)
	return nil
}

func (l *defaultLogger) Options() Options {
	opts := l.base.options()
	opts.Fields = merge(opts.Fields, l.fields)
	return opts
}

func (l *defaultLogger) Fields(fields map[string]any) Logger {
	return &defaultLogger{base: l.base, fields: merge(l.fields, fields)}
}

func (l *defaultLogger) Log(level Level, v ...any) {
	if opts := l.base.options(); opts.Level.Enabled(level) {
		l.write(opts, level, fmt.Sprint(v...))
	}
}

func (l *defaultLogger) Logf(level Level, format string, v ...any) {
	if opts := l.base.options(); opts.Level.Enabled(level) {
		l.write(opts, level, fmt.Sprintf(format, v...))
	}
}

func (l *defaultLogger) write(opts Options, level Level, message string) {
	fields := merge(opts.Fields, l.fields)
	fields["level"] = level
	if site, ok := callSite(opts.CallerSkipCount); ok {
		fields["file"] = site
	}
	l.base.write(opts.Out, time.Now(), fields, message)
}

func (l *defaultLogger) String() string { return "default" }

// merge returns a map of its own with the fields of both, those of over going
// before those of under.
func merge(under, over map[string]any) map[string]any {
	m := make(map[string]any, len(under)+len(over)+2)
	maps.Copy(m, under)
	maps.Copy(m, over)
	return m
}

package logger

// Helper is a Logger with a method for each level and fields of its own, which
// stay its own. It may be used from any goroutine.
type Helper struct {
	Logger
	fields map[string]any
}

var _ Logger = (*Helper)(nil)

// NewHelper returns a Helper around log.
func NewHelper(log Logger) *Helper {
	return &Helper{Logger: log}
}

// WithFields returns a Helper with these fields beside those that h has; of a name
// in both, the new value counts.
func (h *Helper) WithFields(fields map[string]any) *Helper {
	return &Helper{Logger: h.Logger, fields: merge(h.fields, fields)}
}

// WithError returns a Helper with the field error beside those that h has.
func (h *Helper) WithError(err error) *Helper {
	return h.WithFields(map[string]any{"error": err})
}

// Fields returns a logger with the given fields beside those that h has.
func (h *Helper) Fields(fields map[string]any) Logger {
	return h.Logger.Fields(merge(h.fields, fields))
}

// Log writes a line with the fields of h.
func (h *Helper) Log(level Level, args ...any) {
	h.target().Log(level, args...)
}

// Logf writes a formatted line with the fields of h.
func (h *Helper) Logf(level Level, template string, args ...any) {
	h.target().Logf(level, template, args...)
}

func (h *Helper) target() Logger {
	if len(h.fields) == 0 {
		return h.Logger
	}
	return h.Logger.Fields(h.fields)
}

// Trace writes a line of TraceLevel.
func (h *Helper) Trace(args ...any) { h.Log(TraceLevel, args...) }

// Tracef writes a formatted line of TraceLevel.
func (h *Helper) Tracef(template string, args ...any) { h.Logf(TraceLevel, template, args...) }

// Debug writes a line of DebugLevel.
func (h *Helper) Debug(args ...any) { h.Log(DebugLevel, args...) }

// Debugf writes a formatted line of DebugLevel.
func (h *Helper) Debugf(template string, args ...any) { h.Logf(DebugLevel, template, args...) }

// Info writes a line of InfoLevel.
func (h *Helper) Info(args ...any) { h.Log(InfoLevel, args...) }

// Infof writes a formatted line of InfoLevel.
func (h *Helper) Infof(template string, args ...any) { h.Logf(InfoLevel, template, args...) }

// Warn writes a line of WarnLevel.
func (h *Helper) Warn(args ...any) { h.Log(WarnLevel, args...) }

// Warnf writes a formatted line of WarnLevel.
func (h *Helper) Warnf(template string, args ...any) { h.Logf(WarnLevel, template, args...) }

// Error writes a line of ErrorLevel.
func (h *Helper) Error(args ...any) { h.Log(ErrorLevel, args...) }

// Errorf writes a formatted line of ErrorLevel.
func (h *Helper) Errorf(template string, args ...any) { h.Logf(ErrorLevel, template, args...) }

// Fatal writes a line of FatalLevel and ends the process with code 1.
func (h *Helper) Fatal(args ...any) {
	h.Log(FatalLevel, args...)
	exit(1)
}

// Fatalf writes a formatted line of FatalLevel and ends the process with code 1.
func (h *Helper) Fatalf(template string, args ...any) {
	h.Logf(FatalLevel, template, args...)
	exit(1)
}

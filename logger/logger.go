// Package logger writes lines for people and for whatever collects them:
//
//	2006-01-02 15:04:05  file=greeter/main.go:21 level=info Listening on [::]:8080
//
// The fields are sorted by their names. A message is one line, and no terminal obeys
// it: control characters in it are escaped as in Go's strings. Lines go to standard output unless
// WithOutput says otherwise. MICRO_LOG_LEVEL sets the level of DefaultLogger; it
// is read when that logger is first used, not when the package is imported.
//
// The newest lines stay in memory, in log.DefaultLog of package debug/log, from which a
// service hands them to those who may call it.
package logger

// Logger is what the framework logs to. An implementation may be used from any
// goroutine.
type Logger interface {
	// Init applies options to the logger.
	Init(options ...Option) error
	// Options returns the settings in force. They are a copy.
	Options() Options
	// Fields returns a logger that writes the given fields with every line,
	// beside those of this one, which stays as it is.
	Fields(fields map[string]any) Logger
	// Log writes a line, its message made of the values as fmt.Sprint does.
	// Levels below the logger's are dropped.
	Log(level Level, v ...any)
	// Logf writes a line, its message made as fmt.Sprintf does.
	Logf(level Level, format string, v ...any)
	// String names the implementation.
	String() string
}

// DefaultLogger is what the functions of this package, and the framework, log to.
// It belongs to the program; replace it before anything logs. One in its place gets the
// text as it came, control characters of strangers included, and has to escape it.
var DefaultLogger Logger = NewHelper(newFromEnv())

// NewLogger returns a logger of its own with level info, apart from options. It
// reads no environment.
func NewLogger(opts ...Option) Logger {
	l := &defaultLogger{base: newBase()}
	l.base.apply(opts)
	return l
}

// Init applies options to DefaultLogger. A level given here goes before that of
// the environment.
func Init(opts ...Option) error {
	return DefaultLogger.Init(opts...)
}

// Fields returns a logger that writes to DefaultLogger with the given fields.
func Fields(fields map[string]any) Logger {
	return DefaultLogger.Fields(fields)
}

// Log writes a line to DefaultLogger.
func Log(level Level, v ...any) {
	DefaultLogger.Log(level, v...)
}

// Logf writes a formatted line to DefaultLogger.
func Logf(level Level, format string, v ...any) {
	DefaultLogger.Logf(level, format, v...)
}

// String names the implementation behind DefaultLogger.
func String() string {
	return DefaultLogger.String()
}

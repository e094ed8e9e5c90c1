package logger

import "fmt"

// Level is the weight of a line.
type Level int8

const (
	// TraceLevel is for every step.
	TraceLevel Level = iota - 2
	// DebugLevel is for whoever looks for a fault.
	DebugLevel
	// InfoLevel is for what an operator wants to know; the default.
	InfoLevel
	// WarnLevel is for what should be looked at.
	WarnLevel
	// ErrorLevel is for what failed.
	ErrorLevel
	// FatalLevel is for what ends the process. Only Fatal and Fatalf end it; a
	// line logged with this level does not.
	FatalLevel
)

var levelNames = map[Level]string{
	TraceLevel: "trace",
	DebugLevel: "debug",
	InfoLevel:  "info",
	WarnLevel:  "warn",
	ErrorLevel: "error",
	FatalLevel: "fatal",
}

// String returns the name of the level, empty for a value that is none of the
// constants.
func (l Level) String() string {
	return levelNames[l]
}

// Enabled reports whether a logger of level l writes a line of level lvl.
func (l Level) Enabled(lvl Level) bool {
	return lvl >= l
}

// GetLevel returns the level with the given name. For any other name, the empty
// one included, it returns InfoLevel and an error.
func GetLevel(levelStr string) (Level, error) {
	for level, name := range levelNames {
		if name == levelStr {
			return level, nil
		}
	}
	return InfoLevel, fmt.Errorf("unknown log level %q: choose one of trace, debug, info, warn, error, fatal", levelStr)
}

// V reports whether a line of level lvl would be written by log, or by
// DefaultLogger if log is nil.
func V(lvl Level, log Logger) bool {
	if log == nil {
		log = DefaultLogger
	}
	return log.Options().Level.Enabled(lvl)
}

package log

import "github.com/rollcall-go/micro/logger"

// Level says how severe a line is; the lower, the more.
type Level int32

// The levels.
const (
	LevelFatal Level = iota
	LevelError
	LevelWarn
	LevelInfo
	LevelDebug
	LevelTrace
)

// String returns the level's name, "unknown" if it has none.
func (l Level) String() string {
	if l < LevelFatal || l > LevelTrace {
		return "unknown"
	}
	return l.current().String()
}

// current returns the level as package logger has it.
func (l Level) current() logger.Level {
	switch l {
	case LevelTrace:
		return logger.TraceLevel
	case LevelDebug:
		return logger.DebugLevel
	case LevelWarn:
		return logger.WarnLevel
	case LevelError:
		return logger.ErrorLevel
	case LevelFatal:
		return logger.FatalLevel
	}
	return logger.InfoLevel
}

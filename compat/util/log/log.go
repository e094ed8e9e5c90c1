// Package log is the logger that programs of go-micro v2's first releases use. It is
// frozen: new code takes package logger, on whose DefaultLogger everything here writes.
//
// Lines of a level below the one that SetLevel set are dropped, and then those that
// DefaultLogger drops. The functions are safe for concurrent use.
package log

import (
	"fmt"
	"sync/atomic"

	dlog "github.com/rollcall-go/micro/debug/log"
	"github.com/rollcall-go/micro/logger"
)

var (
	level  atomic.Pointer[Level]
	prefix atomic.Pointer[string]
	local  atomic.Pointer[dlog.Log]
)

// SetLevel drops what is less severe than l.
func SetLevel(l Level) { level.Store(&l) }

// GetLevel returns the level that SetLevel set, and that of DefaultLogger before that.
func GetLevel() Level {
	if l := level.Load(); l != nil {
		return *l
	}
	at := logger.DefaultLogger.Options().Level
	for l := LevelTrace; l > LevelFatal; l-- {
		if at.Enabled(l.current()) {
			return l
		}
	}
	return LevelFatal
}

// SetLogger sets what GetLogger returns. Nothing is written to it, as in v2.
func SetLogger(l dlog.Log) { local.Store(&l) }

// GetLogger returns what SetLogger set, and the log of the process before that.
func GetLogger() dlog.Log {
	if l := local.Load(); l != nil {
		return *l
	}
	return dlog.DefaultLog
}

// SetPrefix sets what each message begins with.
func SetPrefix(p string) { prefix.Store(&p) }

// Name makes each message begin with the name in brackets.
func Name(name string) { SetPrefix(fmt.Sprintf("[%s]", name)) }

// Log writes a line of level info.
func Log(v ...any) { WithLevel(LevelInfo, v...) }

// Logf writes a formatted line of level info.
func Logf(format string, v ...any) { WithLevelf(LevelInfo, format, v...) }

// WithLevel writes a line. One of LevelFatal ends the process with code 1.
func WithLevel(l Level, v ...any) { write(l, fmt.Sprint(v...)) }

// WithLevelf writes a formatted line. One of LevelFatal ends the process with code 1.
func WithLevelf(l Level, format string, v ...any) { write(l, fmt.Sprintf(format, v...)) }

func write(l Level, message string) {
	if p := prefix.Load(); p != nil && *p != "" {
		message = *p + " " + message
	}
	if l <= LevelFatal {
		logger.Fatal(message)
	}
	if most := level.Load(); most == nil || l <= *most {
		logger.DefaultLogger.Log(l.current(), message)
	}
}

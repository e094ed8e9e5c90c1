package logger

import "os"

// exit ends the process. Tests replace it.
var exit = os.Exit

// Trace writes a line of TraceLevel to DefaultLogger.
func Trace(args ...any) { DefaultLogger.Log(TraceLevel, args...) }

// Tracef writes a formatted line of TraceLevel to DefaultLogger.
func Tracef(template string, args ...any) { DefaultLogger.Logf(TraceLevel, template, args...) }

// Debug writes a line of DebugLevel to DefaultLogger.
func Debug(args ...any) { DefaultLogger.Log(DebugLevel, args...) }

// Debugf writes a formatted line of DebugLevel to DefaultLogger.
func Debugf(template string, args ...any) { DefaultLogger.Logf(DebugLevel, template, args...) }

// Info writes a line of InfoLevel to DefaultLogger.
func Info(args ...any) { DefaultLogger.Log(InfoLevel, args...) }

// Infof writes a formatted line of InfoLevel to DefaultLogger.
func Infof(template string, args ...any) { DefaultLogger.Logf(InfoLevel, template, args...) }

// Warn writes a line of WarnLevel to DefaultLogger.
func Warn(args ...any) { DefaultLogger.Log(WarnLevel, args...) }

// Warnf writes a formatted line of WarnLevel to DefaultLogger.
func Warnf(template string, args ...any) { DefaultLogger.Logf(WarnLevel, template, args...) }

// Error writes a line of ErrorLevel to DefaultLogger.
func Error(args ...any) { DefaultLogger.Log(ErrorLevel, args...) }

// Errorf writes a formatted line of ErrorLevel to DefaultLogger.
func Errorf(template string, args ...any) { DefaultLogger.Logf(ErrorLevel, template, args...) }

// Fatal writes a line of FatalLevel to DefaultLogger and ends the process with
// code 1.
func Fatal(args ...any) {
	DefaultLogger.Log(FatalLevel, args...)
	exit(1)
}

// Fatalf writes a formatted line of FatalLevel to DefaultLogger and ends the
// process with code 1.
func Fatalf(template string, args ...any) {
	DefaultLogger.Logf(FatalLevel, template, args...)
	exit(1)
}

package log

// Trace writes a line of level trace.
func Trace(v ...any) { WithLevel(LevelTrace, v...) }

// Tracef writes a formatted line of level trace.
func Tracef(format string, v ...any) { WithLevelf(LevelTrace, format, v...) }

// Debug writes a line of level debug.
func Debug(v ...any) { WithLevel(LevelDebug, v...) }

// Debugf writes a formatted line of level debug.
func Debugf(format string, v ...any) { WithLevelf(LevelDebug, format, v...) }

// Info writes a line of level info.
func Info(v ...any) { WithLevel(LevelInfo, v...) }

// Infof writes a formatted line of level info.
func Infof(format string, v ...any) { WithLevelf(LevelInfo, format, v...) }

// Warn writes a line of level warn.
func Warn(v ...any) { WithLevel(LevelWarn, v...) }

// Warnf writes a formatted line of level warn.
func Warnf(format string, v ...any) { WithLevelf(LevelWarn, format, v...) }

// Error writes a line of level error.
func Error(v ...any) { WithLevel(LevelError, v...) }

// Errorf writes a formatted line of level error.
func Errorf(format string, v ...any) { WithLevelf(LevelError, format, v...) }

// Fatal writes a line and ends the process with code 1.
func Fatal(v ...any) { WithLevel(LevelFatal, v...) }

// Fatalf writes a formatted line and ends the process with code 1.
func Fatalf(format string, v ...any) { WithLevelf(LevelFatal, format, v...) }

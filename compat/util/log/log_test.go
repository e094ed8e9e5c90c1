package log_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/rollcall-go/micro/compat/util/log"
	dlog "github.com/rollcall-go/micro/debug/log"
	"github.com/rollcall-go/micro/logger"
)

// written returns the lines that f writes to a logger of the level.
func written(t *testing.T, level logger.Level, f func()) []string {
	t.Helper()
	var out bytes.Buffer
	before := logger.DefaultLogger
	defer func() { logger.DefaultLogger = before }()
	logger.DefaultLogger = logger.NewLogger(logger.WithOutput(&out), logger.WithLevel(level))
	f()
	return strings.Split(strings.TrimSpace(out.String()), "\n")
}

func TestLines(t *testing.T) {
	lines := written(t, logger.TraceLevel, func() {
		log.Log("a", 1)
		log.Logf("b%d", 2)
		log.Trace("c")
		log.Debugf("d%s", "e")
		log.Warn("f")
		log.Error("g\nh")
		log.WithLevelf(log.LevelError, "i")
	})
	for i, want := range []string{"level=info a1", "level=info b2", "level=trace c", "level=debug de", "level=warn f", "level=error g", "level=error i"} {
		if !strings.Contains(lines[i], want) || !strings.Contains(lines[i], "file=log/log_test.go:") {
			t.Errorf("line %d is %q, want %q and the caller's file", i, lines[i], want)
		}
	}
}

func TestLevelsOfBothCount(t *testing.T) {
	written(t, logger.ErrorLevel, func() {
		if l := log.GetLevel(); l != log.LevelError {
			t.Errorf("the level is %s", l)
		}
	})
	defer log.SetLevel(log.LevelTrace)
	log.SetLevel(log.LevelWarn)
	lines := written(t, logger.InfoLevel, func() {
		log.Info("dropped")
		log.Warn("kept")
	})
	if len(lines) != 1 || !strings.HasSuffix(lines[0], " kept") {
		t.Errorf("wrote %q", lines)
	}
	log.SetLevel(log.LevelTrace)
	if lines := written(t, logger.InfoLevel, func() { log.Debug("dropped") }); lines[0] != "" {
		t.Errorf("wrote %q", lines)
	}
}

func TestName(t *testing.T) {
	defer log.SetPrefix("")
	log.Name("shop")
	if lines := written(t, logger.InfoLevel, func() { log.Infof("at %d", 80) }); !strings.HasSuffix(lines[0], " [shop] at 80") {
		t.Errorf("wrote %q", lines)
	}
}

func TestLevelNames(t *testing.T) {
	for l, want := range map[log.Level]string{log.LevelFatal: "fatal", log.LevelInfo: "info", log.LevelTrace: "trace", 9: "unknown", -1: "unknown"} {
		if l.String() != want {
			t.Errorf("level %d is %q, want %q", int32(l), l, want)
		}
	}
}

func TestLogger(t *testing.T) {
	if log.GetLogger() != dlog.DefaultLog {
		t.Error("the logger is not that of the process")
	}
	own := dlog.NewLog()
	log.SetLogger(own)
	if log.GetLogger() != own {
		t.Error("the logger is not the one that was set")
	}
}

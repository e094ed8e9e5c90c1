package logger_test

import (
	"io"
	"strings"
	"testing"

	"github.com/rollcall-go/micro/debug/log"
	"github.com/rollcall-go/micro/logger"
)

// TestLinesAreKept finds what was logged in the log that services hand out.
func TestLinesAreKept(t *testing.T) {
	l := logger.NewLogger(logger.WithOutput(io.Discard), logger.WithFields(map[string]any{"shop": "north"}))
	l.Log(logger.DebugLevel, "a line below the level")
	l.Logf(logger.InfoLevel, "a line %s\x1b[2J\n", "to keep")
	l.Log(logger.ErrorLevel, strings.Repeat("long", 1<<20))
	records, err := log.DefaultLog.Read(log.Count(2))
	if err != nil || len(records) != 2 {
		t.Fatalf("there are %d records, %v", len(records), err)
	}
	if r := records[0]; r.Message != `a line to keep\x1b[2J` || r.Metadata["level"] != "info" || r.Metadata["shop"] != "north" || !strings.HasPrefix(r.Metadata["file"], "logger/debug_test.go:") || r.Timestamp.IsZero() {
		t.Errorf("kept is %+v", r)
	}
	if n := len(records[1].Message.(string)); n < 4000 || n > 5000 {
		t.Errorf("of a long line %d bytes are kept", n)
	}
}

package web

import (
	"log"
	"strings"
	"sync"
	"time"

	"github.com/rollcall-go/micro/internal/defaults"
	"github.com/rollcall-go/micro/logger"
)

// errorLog takes what net/http says of handlers that panic and of handshakes that fail.
// Both are up to callers, who must not fill the disk with it: a few a second are logged,
// each bounded.
type errorLog struct {
	mu    sync.Mutex // guards what follows
	begun time.Time  // the second in which lines are counted
	lines int
}

func newErrorLog() *log.Logger { return log.New(&errorLog{}, "", 0) }

// Write logs one entry.
func (e *errorLog) Write(p []byte) (int, error) {
	if e.may(time.Now()) {
		text := strings.TrimSpace(string(p[:min(len(p), defaults.PanicTextSize)]))
		lines := strings.FieldsFunc(text, func(r rune) bool { return r == '\n' })
		for i := range lines {
			lines[i] = strings.TrimSpace(lines[i])
		}
		logger.Errorf("Server [web] %s", strings.Join(lines, " < "))
	}
	return len(p), nil
}

func (e *errorLog) may(now time.Time) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if now.Sub(e.begun) >= time.Second {
		e.begun, e.lines = now, 0
	}
	e.lines++
	return e.lines <= defaults.PanicStacksPerSecond
}

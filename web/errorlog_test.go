package web

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-go/micro/internal/defaults"
	"github.com/rollcall-go/micro/logger"
)

func TestFewLinesASecondAreLogged(t *testing.T) {
	var e errorLog
	now := time.Now()
	for range 2 {
		logged := 0
		for range 10 * defaults.PanicStacksPerSecond {
			if e.may(now) {
				logged++
			}
		}
		if logged != defaults.PanicStacksPerSecond {
			t.Errorf("logged %d lines of a second, want %d", logged, defaults.PanicStacksPerSecond)
		}
		now = now.Add(time.Second)
	}
}

func TestALoggedErrorIsOneBoundedLine(t *testing.T) {
	old := logger.DefaultLogger
	defer func() { logger.DefaultLogger = old }()
	var out bytes.Buffer
	logger.DefaultLogger = logger.NewLogger(logger.WithOutput(&out))
	newErrorLog().Print("http: panic serving 10.0.0.1:80: boom\ngoroutine 7\n\tmain.go:1\n" + strings.Repeat("x", 2*defaults.PanicTextSize))
	text := out.String()
	if n := strings.Count(text, "\n"); n != 1 {
		t.Errorf("logged %d lines: %.200q", n, text)
	}
	if !strings.Contains(text, "boom < goroutine 7 < main.go:1") || len(text) > defaults.PanicTextSize+500 {
		t.Errorf("logged %d bytes: %.200q", len(text), text)
	}
}

package embedded

import (
	"bytes"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/rollcall-go/micro/internal/testkit"
)

// safeBuffer is read while an etcd may write to it.
type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *safeBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *safeBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

func TestAHealthyServerIsSilent(t *testing.T) {
	var out safeBuffer
	cfg := fast(t)
	cfg.Log = &out
	_, stop := start(t, cfg)
	stop()
	_, stop = start(t, cfg)
	stop()
	if out.String() != "" {
		t.Fatalf("a start, a stop and a restart logged\n%s", out.String())
	}
}

func TestLogLevel(t *testing.T) {
	var out safeBuffer
	cfg := fast(t)
	cfg.Log, cfg.LogLevel = &out, "info"
	_, stop := start(t, cfg)
	testkit.Eventually(t, 5*time.Second, "a line at info", func() bool {
		return strings.Contains(out.String(), "  info  etcd: ready to serve client requests")
	})
	logged := out.String()
	stop()
	if after := strings.TrimPrefix(out.String(), logged); strings.Contains(after, "error") {
		t.Fatalf("the stop logged\n%s", after)
	}
}

func TestLineFormat(t *testing.T) {
	var out bytes.Buffer
	core := newLineCore(&out, zapcore.WarnLevel)
	lg := zap.New(core).With(zap.String("name", "a"))
	lg.Info("not wanted")
	lg.Warn("two\nlines\x1b[2J\u009b", zap.Int("n", 3), zap.Error(errors.New("it \u202ebroke")))
	_, text, _ := strings.Cut(out.String(), "  ")
	if want := "warn  etcd: two | lines?[2J?  name=a  n=3  error=\"it ?broke\"\n"; text != want {
		t.Fatalf("got %q, want %q", text, want)
	}
	core.close()
	out.Reset()
	lg.Error("late")
	if out.Len() != 0 {
		t.Fatalf("wrote %q after close", out.String())
	}
}

// TestFatalEndsInAnError shows that neither the process nor the caller ends when
// etcd gives up; the goroutine that gave up does not go on.
func TestFatalEndsInAnError(t *testing.T) {
	hook := parkingHook{failed: make(chan error, 1), park: make(chan struct{})}
	lg := zap.New(newLineCore(&bytes.Buffer{}, zapcore.WarnLevel), zap.WithFatalHook(hook), zap.WithPanicHook(hook))
	cause := errors.New("no space left")
	for _, report := range []func(string, ...zap.Field){lg.Fatal, lg.Panic} {
		returned := make(chan struct{})
		go func() {
			defer close(returned)
			report("commit failed", zap.Error(cause))
		}()
		if err := <-hook.failed; !errors.Is(err, cause) || !strings.Contains(err.Error(), "commit failed") {
			t.Fatal(err)
		}
		select {
		case <-returned:
			t.Fatal("the goroutine went on")
		default:
		}
		hook.park <- struct{}{}
		<-returned
	}
}

package logger_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/rollcall-go/micro/logger"
)

// here returns the file field of a line logged in the line of the call.
func here() string {
	_, _, line, _ := runtime.Caller(1)
	return fmt.Sprintf("file=logger/logger_test.go:%d ", line)
}

// setDefault makes the default logger write to the returned buffer during the
// test.
func setDefault(t *testing.T, opts ...logger.Option) *bytes.Buffer {
	var out bytes.Buffer
	old := logger.DefaultLogger
	t.Cleanup(func() { logger.DefaultLogger = old })
	logger.DefaultLogger = logger.NewHelper(logger.NewLogger(append(opts, logger.WithOutput(&out))...))
	return &out
}

func TestLine(t *testing.T) {
	var out bytes.Buffer
	l := logger.NewLogger(logger.WithOutput(&out), logger.WithFields(map[string]any{"zone": "a", "attempt": 2}))
	at := func() string { l.Log(logger.WarnLevel, "a ", 1, 2, " b"); return here() }()
	want := regexp.MustCompile(`^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d  attempt=2 ` + at + `level=warn zone=a a 1 2 b\n$`)
	if !want.MatchString(out.String()) {
		t.Errorf("line %q, want %v", out.String(), want)
	}
}

func TestCallSite(t *testing.T) {
	out := setDefault(t, logger.WithLevel(logger.TraceLevel))
	l := logger.DefaultLogger
	h := logger.NewHelper(l).WithFields(map[string]any{"k": "v"})
	nested := logger.NewHelper(h)
	embedded := struct{ logger.Logger }{l}
	defer logger.ReplaceExit(func(int) {})()

	for name, log := range map[string]func() string{
		"Info":               func() string { logger.Info("m"); return here() },
		"Infof":              func() string { logger.Infof("m"); return here() },
		"Fatal":              func() string { logger.Fatal("m"); return here() },
		"Log":                func() string { logger.Log(logger.InfoLevel, "m"); return here() },
		"Fields.Log":         func() string { logger.Fields(nil).Log(logger.InfoLevel, "m"); return here() },
		"Logger.Log":         func() string { l.Log(logger.InfoLevel, "m"); return here() },
		"Logger.Logf":        func() string { l.Logf(logger.InfoLevel, "m"); return here() },
		"Helper.Info":        func() string { h.Info("m"); return here() },
		"Helper.Fatalf":      func() string { h.Fatalf("m"); return here() },
		"Helper of a Helper": func() string { nested.Infof("m"); return here() },
		"embedded":           func() string { embedded.Log(logger.InfoLevel, "m"); return here() },
		"in a goroutine": func() (at string) {
			var wg sync.WaitGroup
			wg.Go(func() { h.Info("m"); at = here() })
			wg.Wait()
			return at
		},
	} {
		out.Reset()
		if at := log(); !strings.Contains(out.String(), at) {
			t.Errorf("%s: %q, want %s", name, out.String(), at)
		}
	}
}

func TestCallerSkipCount(t *testing.T) {
	var out bytes.Buffer
	for skip, wrapped := range map[int]bool{0: false, 1: false, 2: false, 3: true, 1000: false} {
		out.Reset()
		l := logger.NewLogger(logger.WithOutput(&out), logger.WithCallerSkipCount(skip))
		var inner string
		wrapper := func() { l.Log(logger.InfoLevel, "m"); inner = here() }
		at := func() string { wrapper(); return here() }()
		if !wrapped {
			at = inner
		}
		if skip == 1000 { // there is no such caller
			if strings.Contains(out.String(), "file=") {
				t.Errorf("skip %d: %q, want no file", skip, out.String())
			}
			continue
		}
		if !strings.Contains(out.String(), at) {
			t.Errorf("skip %d: %q, want %s", skip, out.String(), at)
		}
	}
}

func TestFieldsDoNotLeak(t *testing.T) {
	var out bytes.Buffer
	l := logger.NewLogger(logger.WithOutput(&out), logger.WithFields(map[string]any{"base": 1}))
	h := logger.NewHelper(l)
	one := h.WithFields(map[string]any{"one": 1, "both": "old"})
	two := one.WithError(errors.New("boom")).WithFields(map[string]any{"both": "new"})
	given := map[string]any{"own": 1}
	derived := l.Fields(given)
	given["later"] = 1

	for _, tt := range []struct {
		log  func()
		want string
	}{
		{func() { two.Info("m") }, "base=1 both=new error=boom F level=info one=1 m"},
		{func() { one.Info("m") }, "base=1 both=old F level=info one=1 m"},
		{func() { h.Info("m") }, "base=1 F level=info m"},
		{func() { derived.Log(logger.InfoLevel, "m") }, "base=1 F level=info own=1 m"},
		{func() { one.Fields(map[string]any{"x": 1}).Log(logger.InfoLevel, "m") }, "base=1 both=old F level=info one=1 x=1 m"},
		{func() { l.Log(logger.InfoLevel, "m") }, "base=1 F level=info m"},
	} {
		out.Reset()
		tt.log()
		_, got, _ := strings.Cut(strings.TrimSpace(out.String()), "  ")
		got = regexp.MustCompile(`file=\S+`).ReplaceAllString(got, "F")
		if got != tt.want {
			t.Errorf("line %q, want %q", got, tt.want)
		}
	}
	l.Options().Fields["x"] = 1
	if _, leaked := l.Options().Fields["x"]; leaked {
		t.Error("Options hands out the logger's own map")
	}
}

func TestLevels(t *testing.T) {
	out := setDefault(t, logger.WithLevel(logger.TraceLevel))
	h := logger.NewHelper(logger.DefaultLogger)
	defer logger.ReplaceExit(func(int) {})()
	for i, write := range [][]func(){
		{func() { logger.Trace("m") }, func() { logger.Tracef("%s", "m") }, func() { h.Trace("m") }, func() { h.Tracef("%s", "m") }},
		{func() { logger.Debug("m") }, func() { logger.Debugf("%s", "m") }, func() { h.Debug("m") }, func() { h.Debugf("%s", "m") }},
		{func() { logger.Info("m") }, func() { logger.Infof("%s", "m") }, func() { h.Info("m") }, func() { h.Infof("%s", "m") }},
		{func() { logger.Warn("m") }, func() { logger.Warnf("%s", "m") }, func() { h.Warn("m") }, func() { h.Warnf("%s", "m") }},
		{func() { logger.Error("m") }, func() { logger.Errorf("%s", "m") }, func() { h.Error("m") }, func() { h.Errorf("%s", "m") }},
		{func() { logger.Fatal("m") }, func() { logger.Fatalf("%s", "m") }, func() { h.Fatal("m") }, func() { h.Fatalf("%s", "m") }},
	} {
		level := logger.TraceLevel + logger.Level(i)
		for j, f := range write {
			if err := logger.Init(logger.WithLevel(level)); err != nil {
				t.Fatal(err)
			}
			out.Reset()
			f()
			if want := " level=" + level.String() + " m\n"; !strings.HasSuffix(out.String(), want) {
				t.Errorf("%v, way %d: line %q, want it to end in %q", level, j, out.String(), want)
			}
			if err := logger.Init(logger.WithLevel(level + 1)); err != nil {
				t.Fatal(err)
			}
			out.Reset()
			f()
			if out.Len() != 0 {
				t.Errorf("%v, way %d: a logger of a higher level writes %q", level, j, out.String())
			}
		}
		if !logger.V(level+1, nil) || logger.V(level, nil) || !logger.V(level, logger.NewLogger(logger.WithLevel(level))) {
			t.Errorf("V is wrong about level %v", level)
		}
		if got, err := logger.GetLevel(level.String()); got != level || err != nil {
			t.Errorf("GetLevel(%v) = %v, %v", level, got, err)
		}
	}
	for _, name := range []string{"", "INFO", "loud"} {
		if got, err := logger.GetLevel(name); got != logger.InfoLevel || err == nil {
			t.Errorf("GetLevel(%q) = %v, %v, want info and an error", name, got, err)
		}
	}
}

func TestFatalExits(t *testing.T) {
	setDefault(t)
	h := logger.NewHelper(logger.DefaultLogger)
	for i, f := range []func(){
		func() { logger.Fatal("m") },
		func() { logger.Fatalf("m") },
		func() { h.Fatal("m") },
		func() { h.Fatalf("m") },
	} {
		code := -1
		restore := logger.ReplaceExit(func(c int) { code = c })
		f()
		restore()
		if code != 1 {
			t.Errorf("way %d exits with %d, want 1", i, code)
		}
	}
}

func TestLevelFromEnvironmentIsReadAtFirstUse(t *testing.T) {
	l := logger.NewFromEnv()
	t.Setenv("MICRO_LOG_LEVEL", "debug")
	if got := l.Options().Level; got != logger.DebugLevel {
		t.Errorf("level %v, want debug", got)
	}
	t.Setenv("MICRO_LOG_LEVEL", "error")
	if got := l.Options().Level; got != logger.DebugLevel {
		t.Errorf("level %v after the first use, want debug still", got)
	}
	l = logger.NewFromEnv()
	if err := l.Init(logger.WithLevel(logger.WarnLevel)); err != nil {
		t.Fatal(err)
	}
	if got := l.Options().Level; got != logger.WarnLevel {
		t.Errorf("level %v, want the one set by the program", got)
	}
	if got := logger.NewLogger().Options().Level; got != logger.InfoLevel {
		t.Errorf("NewLogger has level %v, want info", got)
	}
}

// inChild is set in the process that TestProcess starts.
const inChild = "LOGGER_TEST_IN_CHILD"

func TestProcess(t *testing.T) {
	if level := os.Getenv(inChild); level != "" {
		os.Setenv("MICRO_LOG_LEVEL", level)
		logger.Debug("lazy")
		logger.Fatal("end")
	}
	for level, want := range map[string]*regexp.Regexp{
		"debug": regexp.MustCompile(`^.* level=debug lazy\n.* level=fatal end\n$`),
		"loud":  regexp.MustCompile(`^.* level=warn read MICRO_LOG_LEVEL: unknown log level "loud": .*\n.* level=fatal end\n$`),
	} {
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestProcess$")
		cmd.Env = append(os.Environ(), inChild+"="+level)
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		stdout, err := cmd.Output()
		var exit *exec.ExitError
		if !errors.As(err, &exit) || exit.ExitCode() != 1 {
			t.Errorf("%s: ended with %v, want code 1", level, err)
		}
		if !want.Match(stdout) || stderr.Len() != 0 {
			t.Errorf("%s: standard output %q, want %v; standard error %q, want nothing", level, stdout, want, &stderr)
		}
	}
}

func TestLinesStayWhole(t *testing.T) {
	var out bytes.Buffer // not safe for concurrent use, which -race would tell
	l := logger.NewLogger(logger.WithOutput(&out))
	const writers, lines = 8, 50
	var wg sync.WaitGroup
	for w := range writers {
		h := logger.NewHelper(l).WithFields(map[string]any{"writer": w})
		wg.Go(func() {
			for range lines {
				h.Info("end")
				if err := l.Init(logger.WithLevel(logger.InfoLevel)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	whole := regexp.MustCompile(`^\S+ \S+  file=\S+ level=info writer=\d end$`)
	got := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
	if len(got) != writers*lines {
		t.Errorf("%d lines, want %d", len(got), writers*lines)
	}
	for _, line := range got {
		if !whole.MatchString(line) {
			t.Fatalf("torn line %q", line)
		}
	}
}

func TestContextAndOptions(t *testing.T) {
	l := logger.NewLogger()
	if got, ok := logger.FromContext(logger.NewContext(t.Context(), l)); got != l || !ok {
		t.Errorf("FromContext = %v, %v, want the logger put in", got, ok)
	}
	if got, ok := logger.FromContext(t.Context()); got != nil || ok {
		t.Errorf("FromContext of an empty context = %v, %v", got, ok)
	}
	type key struct{}
	l = logger.NewLogger(logger.SetOption(key{}, 7), logger.WithOutput(io.Discard))
	if opts := l.Options(); opts.Context.Value(key{}) != 7 || opts.Out != io.Discard || opts.CallerSkipCount != 2 {
		t.Errorf("options %+v", opts)
	}
	if l.String() != "default" || logger.String() != "default" {
		t.Errorf("String() = %q, %q, want default", l, logger.String())
	}
}

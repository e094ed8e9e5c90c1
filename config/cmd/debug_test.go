package cmd

import (
	"strings"
	"testing"

	"github.com/rollcall-go/micro/debug/profile"
	"github.com/rollcall-go/micro/debug/service/handler"
	"github.com/rollcall-go/micro/debug/trace"
	"github.com/rollcall-go/micro/debug/trace/memory"
)

func TestTracerAndProfileAreChosen(t *testing.T) {
	for _, args := range [][]string{{"--tracer=memory", "--profile=pprof"}, {"--tracer", "own", "--profile", "own"}, {}} {
		p := newProgram()
		own := memory.NewTracer()
		var tr trace.Tracer
		var pr profile.Profile
		p.cmd = NewCmd(Name("demo"), Server(&p.server), Client(&p.client), Registry(&p.registry), Tracer(&tr), Profile(&pr),
			NewTracer("own", func(...trace.Option) trace.Tracer { return own }),
			func(o *Options) {
				o.Profiles = map[string]func(...profile.Option) profile.Profile{
					"own": func(...profile.Option) profile.Profile { return profile.DefaultProfile },
				}
			})
		if err := p.run(t, args...); err != nil || len(p.exited) > 0 {
			t.Fatalf("%v: %v, exited with %v: %s", args, err, p.exited, p.stderr)
		}
		if p.server.Options().Tracer != tr {
			t.Errorf("%v: the server has tracer %v, the program %v", args, p.server.Options().Tracer, tr)
		}
		switch {
		case len(args) == 0 && (tr != nil || pr != nil):
			t.Errorf("nothing was given, and there are %v and %v", tr, pr)
		case len(args) == 2 && (tr == nil || pr == nil || pr.String() != "pprof"):
			t.Errorf("%v: there are %v and %v", args, tr, pr)
		case len(args) == 4 && (tr != own || pr != profile.DefaultProfile):
			t.Errorf("%v: there are %v and %v", args, tr, pr)
		}
	}
}

func TestDebugHandlerIsSwitchedOff(t *testing.T) {
	p := newProgram()
	if err := p.run(t, "--debug_handler=off"); err != nil {
		t.Fatal(err)
	}
	if got := handler.MethodsOf(p.server.Options()); got == nil || len(got) > 0 {
		t.Errorf("off leaves %q", got)
	}
}

func TestWrongNamesOfWhatWatchesAService(t *testing.T) {
	for arg, says := range map[string]string{
		"--tracer=jaeger":       "choose one of: memory",
		"--profile=perf":        "choose one of: http, pprof",
		"--debug_handler=Helth": "want all, off, or some of Health,Stats,Trace,Log,Cache",
	} {
		p := newProgram()
		_ = p.run(t, arg)
		if len(p.exited) != 1 || p.exited[0] != 2 || !strings.Contains(p.stderr, says) {
			t.Errorf("%s: exited with %v, says %q", arg, p.exited, p.stderr)
		}
	}
}

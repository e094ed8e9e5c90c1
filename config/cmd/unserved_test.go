package cmd

import (
	"bytes"
	"strings"
	"sync"
	"testing"

	"github.com/rollcall-go/micro/broker"
	"github.com/rollcall-go/micro/client/selector"
	"github.com/rollcall-go/micro/logger"
	"github.com/rollcall-go/micro/transport"
)

// warnings catches the log, as of a process in which nothing was told yet, and
// returns what is in it.
func warnings(t *testing.T) func() []string {
	t.Helper()
	told.Clear()
	var mu sync.Mutex
	var log bytes.Buffer
	before := logger.DefaultLogger
	logger.DefaultLogger = logger.NewLogger(logger.WithOutput(writer(func(p []byte) (int, error) {
		mu.Lock()
		defer mu.Unlock()
		return log.Write(p)
	})))
	t.Cleanup(func() { logger.DefaultLogger = before })
	return func() []string {
		mu.Lock()
		defer mu.Unlock()
		return strings.Split(strings.TrimSpace(log.String()), "\n")
	}
}

type writer func(p []byte) (int, error)

func (w writer) Write(p []byte) (int, error) { return w(p) }

func TestSettingsWithNothingBehindThemAreToldOnce(t *testing.T) {
	log := warnings(t)
	var variables []string
	for _, u := range allUnserved() {
		if u.only == "" {
			variables = append(variables, u.variable)
		}
	}
	for _, v := range variables {
		t.Setenv(v, "hunter2")
	}
	t.Setenv("MICRO_CONFIG", "app.yaml") // v2 takes notice of "service" alone
	for range 2 {
		p := newProgram()
		if err := p.run(t); err != nil || len(p.exited) > 0 {
			t.Fatalf("Init: %v, exited with %v, wrote %q", err, p.exited, p.stderr)
		}
	}
	lines := log()
	if len(lines) != len(variables) {
		t.Errorf("%d lines for %d variables:\n%s", len(lines), len(variables), strings.Join(lines, "\n"))
	}
	for _, v := range variables {
		if n := strings.Count(strings.Join(lines, "\n")+"\n", v+" has no effect: "); n != 1 {
			t.Errorf("%s was told %d times", v, n)
		}
	}
	if strings.Contains(strings.Join(lines, "\n"), "hunter2") {
		t.Errorf("a value was told:\n%s", strings.Join(lines, "\n"))
	}
}

func TestFlagsWithNothingBehindThemAreTold(t *testing.T) {
	log := warnings(t)
	p := newProgram()
	flags := []string{"auth_private_key=hunter2", "store_address=b:1"}
	var args []string
	for _, f := range flags {
		args = append(args, "--"+f)
	}
	if err := p.run(t, args...); err != nil || len(p.exited) > 0 {
		t.Fatalf("Init: %v, exited with %v, wrote %q", err, p.exited, p.stderr)
	}
	all := strings.Join(log(), "\n")
	for _, f := range flags {
		name, value, _ := strings.Cut(f, "=")
		if !strings.Contains(all, "--"+name+" has no effect: ") || strings.Contains(all, value+"\"") {
			t.Errorf("--%s: %s", name, all)
		}
	}
	if p := newProgram(); p.run(t, "--help") != nil || strings.Contains(p.stdout, "runtime_source") {
		t.Errorf("the help offers what has no effect: %s", p.stdout)
	}
}

// ownBroker is a broker that the program brings along.
type ownBroker struct{ broker.Broker }

func (ownBroker) Err() error     { return nil }
func (ownBroker) String() string { return "nats" }

type ownTransport struct{ transport.Transport }

func (ownTransport) Err() error     { return nil }
func (ownTransport) String() string { return "tcp" }

type ownSelector struct{ selector.Selector }

func (ownSelector) String() string { return "dns" }

func TestPartsOfTheProgramCanBeChosen(t *testing.T) {
	log := warnings(t)
	p := newProgram()
	b, tr := broker.NewBroker(), transport.NewTransport()
	p.cmd = NewCmd(Name("demo"), Server(&p.server), Client(&p.client), Registry(&p.registry), Broker(&b), Transport(&tr),
		NewBroker("nats", func(o ...broker.Option) broker.Broker { return ownBroker{broker.NewBroker(o...)} }),
		NewTransport("tcp", func(o ...transport.Option) transport.Transport { return ownTransport{transport.NewTransport(o...)} }),
		NewSelector("dns", func(o ...selector.Option) selector.Selector { return ownSelector{selector.NewSelector(o...)} }))
	t.Setenv("MICRO_BROKER_ADDRESS", "a:1, b:2,")
	if err := p.run(t, "--broker=nats", "--transport=tcp", "--selector=dns", "--registry=memory"); err != nil {
		t.Fatalf("Init: %v, wrote %q", err, p.stderr)
	}
	if b.String() != "nats" || strings.Join(b.Options().Addrs, " ") != "a:1 b:2" || b.Options().Registry != p.registry || p.server.Options().Broker != b || p.client.Options().Broker != b {
		t.Errorf("the broker is %s with %+v", b, b.Options())
	}
	if tr.String() != "tcp" || p.server.Options().Transport != tr || p.client.Options().Transport != tr {
		t.Errorf("the transport is %s", tr)
	}
	if s := p.client.Options().Selector; s.String() != "dns" || s.Options().Registry != p.registry {
		t.Errorf("the selector is %s in %v", s, s.Options().Registry)
	}
	if lines := log(); lines[0] != "" {
		t.Errorf("told %q", lines)
	}
	// What the program has in place already is chosen.
	if err := p.run(t, "--broker=nats", "--transport=tcp", "--selector=dns"); err != nil || log()[0] != "" {
		t.Errorf("Init: %v, told %q", err, log())
	}
}

// TestTransportsAndSelectorsOfTheHouse are chosen without the program bringing them along.
func TestTransportsAndSelectorsOfTheHouse(t *testing.T) {
	log := warnings(t)
	p := newProgram()
	tr := transport.NewTransport()
	p.cmd = NewCmd(Name("demo"), Server(&p.server), Client(&p.client), Registry(&p.registry), Transport(&tr))
	t.Setenv("MICRO_TRANSPORT_ADDRESS", "a:1, b:2")
	t.Setenv("MICRO_TRANSPORT", "http") // flags go first
	t.Setenv("MICRO_SELECTOR", "dns")
	if err := p.run(t, "--transport=memory", "--selector=static", "--registry=memory"); err != nil {
		t.Fatalf("Init: %v, wrote %q", err, p.stderr)
	}
	if tr.String() != "memory" || strings.Join(tr.Options().Addrs, " ") != "a:1 b:2" || p.client.Options().Transport != tr || p.server.Options().Transport != tr {
		t.Errorf("the transport is %s with %+v", tr, tr.Options())
	}
	if s := p.client.Options().Selector.String(); s != "static" {
		t.Errorf("the selector is %s", s)
	}
	if lines := log(); lines[0] != "" {
		t.Errorf("told %q", lines)
	}
}

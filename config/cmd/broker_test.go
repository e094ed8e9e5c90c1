package cmd

import (
	"strings"
	"testing"

	"github.com/rollcall-go/micro/broker"
	brokermemory "github.com/rollcall-go/micro/broker/memory"
)

// ownedBroker is a broker of the name "ours".
type ownedBroker struct{ broker.Broker }

func (ownedBroker) String() string { return "ours" }

func newOwned(opts ...broker.Option) broker.Broker {
	return ownedBroker{brokermemory.NewBroker(opts...)}
}

func TestTheBrokerThatIsNamedTakesThePlaceOfTheProgramsOwn(t *testing.T) {
	for name, given := range map[string]struct {
		env  string
		args []string
	}{
		"by a flag":             {"", []string{"--broker=ours", "--broker_address=a:1, b:2,"}},
		"by a variable":         {"ours", []string{"--broker_address", "a:1,b:2"}},
		"by a flag before both": {"memory", []string{"--broker=ours", "--broker_address=a:1,b:2"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("MICRO_BROKER", given.env)
			p := newProgram()
			before := p.broker
			p.cmd = NewCmd(Name("demo"), Server(&p.server), Client(&p.client), Registry(&p.registry), Broker(&p.broker), NewBroker("ours", newOwned))
			if err := p.run(t, given.args...); err != nil || len(p.exited) > 0 {
				t.Fatalf("Init: %v, exited with %v, wrote %q", err, p.exited, p.stderr)
			}
			b := p.broker
			if b == before || b.String() != "ours" || strings.Join(b.Options().Addrs, " ") != "a:1 b:2" {
				t.Errorf("the broker is %s with %+v", b, b.Options())
			}
			if b.Options().Registry != p.registry || p.server.Options().Broker != b || p.client.Options().Broker != b {
				t.Error("a part does not know of another")
			}
		})
	}
}

func TestTheProgramsBrokerStaysThatIsOfTheName(t *testing.T) {
	t.Setenv("MICRO_BROKER_ADDRESS", "a:1")
	p := newProgram()
	before := p.broker
	if err := p.run(t, "--broker=memory"); err != nil || p.broker != before || strings.Join(before.Options().Addrs, " ") != "a:1" {
		t.Errorf("Init: %v, the broker is another one: %v; it has %+v", err, p.broker != before, before.Options())
	}
}

func TestACommandLineAloneChoosesTheDefaultBroker(t *testing.T) {
	before := broker.DefaultBroker
	defer func() { broker.DefaultBroker = before }()
	p := newProgram()
	p.cmd = NewCmd(Name("demo"))
	if err := p.run(t, "--broker=memory"); err != nil || broker.DefaultBroker.String() != "memory" {
		t.Errorf("Init: %v, the default is %s", err, broker.DefaultBroker)
	}
}

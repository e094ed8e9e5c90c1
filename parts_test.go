package micro

import (
	"errors"
	"io"
	"os"
	"sync"
	"testing"

	"github.com/rollcall-go/micro/broker"
	brokermemory "github.com/rollcall-go/micro/broker/memory"
	"github.com/rollcall-go/micro/client"
	"github.com/rollcall-go/micro/config/cmd"
	"github.com/rollcall-go/micro/server"
)

// fresh makes the Default values those of a process in which no service was made
// yet.
func fresh(t *testing.T) {
	t.Helper()
	c, s, l, b, args := client.DefaultClient, server.DefaultServer, cmd.DefaultCmd, broker.DefaultBroker, os.Args
	os.Args = []string{"test"}
	broker.DefaultBroker = broker.NewBroker()
	client.DefaultClient, server.DefaultServer, cmd.DefaultCmd = client.NewClient(), server.NewServer(), cmd.NewCmd()
	clientTaken.Store(false)
	serverTaken.Store(false)
	cmdTaken.Store(false)
	brokerTaken.Store(false)
	t.Cleanup(func() {
		closeAll(t, client.DefaultClient)
		client.DefaultClient, server.DefaultServer, cmd.DefaultCmd, broker.DefaultBroker, os.Args = c, s, l, b, args
	})
}

func TestFirstServiceTakesTheDefaults(t *testing.T) {
	fresh(t)
	r := newMemory(t)
	first := newService(Name("first"), Registry(r))
	second := newService(Name("second"), Registry(newMemory(t)))
	if server.DefaultServer.Options().Name != "first" || first.Server() != server.DefaultServer || first.Options().Cmd != cmd.DefaultCmd {
		t.Error("the first service does not have the Default values")
	}
	if client.DefaultClient.Options().Registry != r {
		t.Error("the first service has not set up DefaultClient")
	}
	if second.Server() == server.DefaultServer || second.Options().Cmd == cmd.DefaultCmd || second.Name() != "second" {
		t.Error("the second service has the Default values as well")
	}
	if second.Server().Options().Id == first.Server().Options().Id {
		t.Error("two services have one id")
	}
	if len(first.made) != 0 || len(second.made) != 2 {
		t.Errorf("the first closes %d parts, the second %d; want only the second's own client and broker", len(first.made), len(second.made))
	}
}

func TestGivenPartsLeaveTheDefaultsToOthers(t *testing.T) {
	fresh(t)
	own := newService(Server(server.NewServer()), Client(client.NewClient()), Cmd(cmd.NewCmd()))
	if own.Server() == server.DefaultServer || serverTaken.Load() || clientTaken.Load() || cmdTaken.Load() {
		t.Error("a service with parts of its own took a Default value")
	}
	if next := newService(Name("next")); next.Server() != server.DefaultServer || server.DefaultServer.Options().Name != "next" {
		t.Error("the next one did not get them")
	}
}

func TestDefaultsGoToOneOfManyServices(t *testing.T) {
	fresh(t)
	var wg sync.WaitGroup
	services := make([]*service, 20)
	for i := range services {
		wg.Go(func() {
			services[i] = newService(Name("s"))
			services[i].Init()
		})
	}
	wg.Wait()
	ids := map[string]bool{}
	taken := 0
	for _, s := range services {
		ids[s.Server().Options().Id] = true
		if s.Server() == server.DefaultServer {
			taken++
		}
	}
	if taken != 1 || len(ids) != len(services) {
		t.Errorf("%d services have DefaultServer, and there are %d ids", taken, len(ids))
	}
}

func TestRunClosesWhatTheServiceMade(t *testing.T) {
	fresh(t)
	r := newMemory(t)
	clientTaken.Store(true)
	s := newService(Name("a"), Registry(r), Address("127.0.0.1:0"), HandleSignal(false))
	if err := run(t, s)(); err != nil {
		t.Fatal(err)
	}
	if _, err := say(t.Context(), s.Client(), "a", "x"); err == nil || err.Error() == "" {
		t.Error("the client that the service made is open after Run")
	}
	if _, err := r.ListServices(); err != nil {
		t.Errorf("the program's registry was closed: %v", err)
	}
}

type closer struct {
	client.Client
	closed int
}

func (c *closer) Close() error { c.closed++; return nil }

var _ io.Closer = (*closer)(nil)

func TestRunLeavesWhatItWasGiven(t *testing.T) {
	c := &closer{Client: client.NewClient()}
	t.Cleanup(func() { closeAll(t, c.Client) })
	failed := errors.New("failed")
	s := newNode(t, "a", newMemory(t), nil, Client(c), BeforeStart(func() error { return failed }))
	if err := s.Run(); !errors.Is(err, failed) || c.closed != 0 {
		t.Errorf("Run: %v, closed the program's client %d times", err, c.closed)
	}
}

func TestLaterServicesHaveBrokersOfTheirOwn(t *testing.T) {
	fresh(t)
	r, other := newMemory(t), newMemory(t)
	first, second := newService(Registry(r)), newService(Registry(other))
	if first.Options().Broker != broker.DefaultBroker || broker.DefaultBroker.Options().Registry != r {
		t.Error("the first service does not have the default one, set up")
	}
	b := second.Options().Broker
	if b == broker.DefaultBroker || b.Options().Registry != other || second.Server().Options().Broker != b || second.Client().Options().Broker != b {
		t.Error("the second has none of its own, or not everywhere")
	}
	broker.DefaultBroker = brokermemory.NewBroker()
	if third := newService(Registry(r)); third.Options().Broker != broker.DefaultBroker {
		t.Error("one that the program put in its place is not taken")
	}
	given := brokermemory.NewBroker()
	if fourth := newService(Registry(r), Broker(given)); fourth.Options().Broker != given {
		t.Error("the one that was given is not taken")
	}
}

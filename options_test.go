package micro

import (
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"testing"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/rollcall-go/micro/broker"
	"github.com/rollcall-go/micro/client"
	"github.com/rollcall-go/micro/client/selector"
	"github.com/rollcall-go/micro/config/cmd"
	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/server"
	sgrpc "github.com/rollcall-go/micro/server/grpc"
	"github.com/rollcall-go/micro/transport"
)

func TestOrderOfOptionsDoesNotMatter(t *testing.T) {
	for range 100 {
		r, srv, cl, line := newMemory(t), sgrpc.NewServer(), client.NewClient(), cmd.NewCmd()
		sel := selector.NewSelector()
		br, tr, wrapped := broker.NewBroker(), transport.NewTransport(), 0
		acted := 0
		opts := []Option{
			Server(srv), Client(cl), Cmd(line), Registry(r), Broker(br), Transport(tr), Selector(sel), Name("a"), Version("2"), Address("127.0.0.1:0"),
			Metadata(map[string]string{"zone": "a"}), RegisterTTL(time.Second), RegisterInterval(time.Minute), HandleSignal(false), Context(t.Context()),
			Flags(&cli.StringFlag{Name: "mine"}), Action(func(*cli.Context) error { acted++; return nil }),
			WrapClient(func(c client.Client) client.Client { wrapped++; return c }),
			WrapSubscriber(func(f server.SubscriberFunc) server.SubscriberFunc { return f }),
			WrapCall(func(f client.CallFunc) client.CallFunc { return f }),
			WrapHandler(func(f server.HandlerFunc) server.HandlerFunc { return f }),
			BeforeStart(func() error { return nil }),
		}
		rand.Shuffle(len(opts), func(i, j int) { opts[i], opts[j] = opts[j], opts[i] })
		s := newService(opts...)
		o, so, co := s.Options(), srv.Options(), cl.Options()
		got := fmt.Sprint(s.Name(), so.Name, so.Version, so.Address, so.Metadata, so.RegisterTTL, so.RegisterInterval, len(so.HdlrWrappers), len(co.CallOptions.CallWrappers), o.Signal, len(o.BeforeStart))
		if want := fmt.Sprint("a", "a", "2", "127.0.0.1:0", map[string]string{"zone": "a"}, time.Second, time.Minute, 1, 1, false, 1); got != want {
			t.Fatalf("got %s, want %s", got, want)
		}
		if o.Registry != r || so.Registry != r || co.Registry != r || co.Selector != sel || o.Server != srv || o.Cmd != line {
			t.Fatal("a part does not know another")
		}
		if br.Options().Registry != r || sel.Options().Registry != r || so.Broker != br || co.Broker != br || so.Transport != tr || co.Transport != tr || wrapped != 1 || len(so.SubWrappers) != 1 {
			t.Fatal("a part does not know another, or a wrapper was lost")
		}
		flags := line.App().Flags
		if flags[len(flags)-1].Names()[0] != "mine" {
			t.Fatal("the flag is not on the command line")
		}
		if err := line.App().Action(nil); err != nil || acted != 1 {
			t.Fatalf("the action is not that of the program: %v", err)
		}
	}
}

func TestInitAppliesOptions(t *testing.T) {
	r := newMemory(t)
	s := newNode(t, "a", newMemory(t), nil)
	s.Init(Name("b"), Registry(r), Metadata(map[string]string{"zone": "b"}))
	s.Init(Version("3"))
	so := s.Server().Options()
	if s.Name() != "b" || so.Name != "b" || so.Version != "3" || so.Registry != r || s.Client().Options().Registry != r || so.Metadata["zone"] != "b" {
		t.Errorf("the server has %+v", so)
	}
}

func TestOptionsMayAskTheService(t *testing.T) {
	s := newNode(t, "asking", newMemory(t), nil)
	var asked atomic.Int64
	ask := func() {
		if s.Name() == "asking" && s.Client() != nil && s.Options().Server == s.Server() {
			asked.Add(1)
		}
	}
	var done atomic.Bool
	go func() {
		s.Init(
			func(*Options) { ask() },
			WrapClient(func(c client.Client) client.Client { ask(); return c }),
			serverOption(func(*server.Options) { ask() }),
			func(o *Options) { o.pending.client = append(o.pending.client, func(*client.Options) { ask() }) },
		)
		done.Store(true)
	}()
	testkit.Eventually(t, 5*time.Second, "Init returns", done.Load)
	if asked.Load() != 4 {
		t.Errorf("%d of 4 could ask", asked.Load())
	}
}

// TestPartsThatComeLaterHearOfTheOthers gives a service another server, client and
// broker once it is set up.
func TestPartsThatComeLaterHearOfTheOthers(t *testing.T) {
	r := newMemory(t)
	s := newNode(t, "a", r, nil)
	srv, cl := sgrpc.NewServer(), client.NewClient()
	t.Cleanup(func() { closeAll(t, cl) })
	s.Init(Server(srv), Client(cl))
	if srv.Options().Registry != r || cl.Options().Registry != r {
		t.Error("a later server or client does not know the registry")
	}
	br := broker.NewBroker()
	s.Init(Broker(br))
	if br.Options().Registry != r || srv.Options().Broker != br || cl.Options().Broker != br {
		t.Error("a later broker does not know the registry, or is not known")
	}
	own := newMemory(t)
	alone := sgrpc.NewServer(server.Registry(own))
	newService(Server(alone), Client(cl), Cmd(cmd.NewCmd()))
	if alone.Options().Registry != own {
		t.Error("a server lost the registry that the program gave it to a service that has none")
	}
}

package wiring

import (
	"errors"
	"strings"
	"testing"

	"github.com/rollcall-go/micro/broker"
	"github.com/rollcall-go/micro/client"
	cgrpc "github.com/rollcall-go/micro/client/grpc"
	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/registry"
	"github.com/rollcall-go/micro/server"
	sgrpc "github.com/rollcall-go/micro/server/grpc"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// refusing is a client that takes no options.
type refusing struct{ client.Client }

func (refusing) Init(...client.Option) error { return errors.New("closed") }

func TestEveryPartHearsOfTheRegistry(t *testing.T) {
	r := registry.NewRegistry()
	s, c, b := sgrpc.NewServer(), cgrpc.NewClient(), broker.NewBroker()
	if err := SetRegistry(r, s, c, b); err != nil {
		t.Fatal(err)
	}
	if s.Options().Registry != r || c.Options().Registry != r || b.Options().Registry != r {
		t.Error("a part has another registry")
	}
	if err := SetRegistry(r, nil, nil, nil); err != nil {
		t.Errorf("without parts: %v", err)
	}
}

func TestOnePartThatRefusesDoesNotKeepTheOthersFromHearing(t *testing.T) {
	r := registry.NewRegistry()
	var s server.Server
	b := broker.NewBroker()
	err := SetRegistry(r, s, refusing{}, b)
	if err == nil || !strings.Contains(err.Error(), "client") || b.Options().Registry != r {
		t.Errorf("got %v; the broker has %v", err, b.Options().Registry)
	}
}

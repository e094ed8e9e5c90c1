package micro

import (
	"io"
	"sync/atomic"

	"github.com/rollcall-go/micro/broker"
	"github.com/rollcall-go/micro/client"
	"github.com/rollcall-go/micro/config/cmd"
	"github.com/rollcall-go/micro/internal/ability"
	"github.com/rollcall-go/micro/registry"
	"github.com/rollcall-go/micro/server"
)

// The Default values of the process go to the first service that is given none
// of its own. Later services get parts of their own, so that two services in
// one process do not disturb each other.
var (
	clientTaken atomic.Bool
	serverTaken atomic.Bool
	cmdTaken    atomic.Bool
	brokerTaken atomic.Bool
)

// offer is what a service gets unless its options say otherwise.
type offer struct {
	client client.Client
	server server.Server
	cmd    cmd.Cmd
	// Which of them are the Default values.
	defaultClient, defaultServer, defaultCmd bool
}

// offerParts fills in the parts before the options are applied: an option of the
// program's own may want to see them.
func offerParts(o *Options) offer {
	f := offer{
		defaultClient: !clientTaken.Load(),
		defaultServer: !serverTaken.Load(),
		defaultCmd:    !cmdTaken.Load(),
	}
	if f.defaultClient {
		f.client = implementation(client.DefaultClient)
	} else {
		f.client = client.NewClient()
	}
	if f.defaultServer {
		f.server = implementation(server.DefaultServer)
	} else {
		f.server = server.NewServer()
	}
	if f.defaultCmd {
		f.cmd = cmd.DefaultCmd
	} else {
		f.cmd = cmd.NewCmd()
	}
	o.Client, o.Server, o.Cmd = f.client, f.server, f.cmd
	return f
}

// implementation returns what stands behind a Default value that makes its part
// on first use, so that abilities beyond the contract can be found on it.
func implementation[T any](v T) T {
	if d, ok := any(v).(interface{ Implementation() T }); ok {
		return d.Implementation()
	}
	return v
}

// settle takes the offered Default values that were left in place; where another
// service was faster, a new part takes their place. It returns the parts that
// are the service's own to close.
func (f offer) settle(o *Options) []io.Closer {
	var made []io.Closer
	if o.Client == f.client {
		own := !f.defaultClient
		if f.defaultClient && !clientTaken.CompareAndSwap(false, true) {
			o.Client, own = client.NewClient(), true
		}
		if c, ok := o.Client.(io.Closer); ok && own {
			made = append(made, c)
		}
	}
	if o.Server == f.server && f.defaultServer && !serverTaken.CompareAndSwap(false, true) {
		o.Server = server.NewServer()
	}
	if o.Cmd == f.cmd && f.defaultCmd && !cmdTaken.CompareAndSwap(false, true) {
		o.Cmd = cmd.NewCmd()
	}
	if b := settleBroker(o); b != nil {
		made = append(made, ownBroker{b})
	}
	return made
}

// settleBroker gives a service that was given no broker one of its own, unless it is the
// first: the default one listens, and finds others in its service's registry. One that
// the program put in the place of the default is everybody's. It returns the one that is
// the service's own, nil if there is none.
func settleBroker(o *Options) broker.Broker {
	if _, ours := broker.DefaultBroker.(interface{ Implementation() broker.Broker }); !ours {
		return nil
	}
	isDefault := func(b broker.Broker) bool { return b == broker.DefaultBroker }
	if !isDefault(o.Broker) || !isDefault(o.Server.Options().Broker) || !isDefault(o.Client.Options().Broker) {
		return nil
	}
	if brokerTaken.CompareAndSwap(false, true) {
		return nil
	}
	b := broker.NewBroker()
	Broker(b)(o)
	return b
}

// ownBroker is a broker that a service made. Its server has disconnected it already,
// unless something was published since.
type ownBroker struct{ broker.Broker }

func (b ownBroker) Close() error { return b.Disconnect() }

// chosenRegistry is a registry that the command line chose. Whoever uses the
// default registry uses it too, until it is closed.
type chosenRegistry struct{ registry.Registry }

func (c chosenRegistry) Close() error {
	if p, ok := registry.DefaultRegistry.(ability.Placeholder); ok {
		p.Forget(c.Registry)
	}
	return c.Registry.(io.Closer).Close()
}

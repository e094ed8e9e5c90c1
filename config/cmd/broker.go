package cmd

import (
	"github.com/urfave/cli/v2"

	"github.com/rollcall-go/micro/broker"
	"github.com/rollcall-go/micro/client"
	"github.com/rollcall-go/micro/server"
)

// DefaultBrokers are the brokers that can be chosen by name. A program may add its own
// before Init.
var DefaultBrokers = map[string]func(...broker.Option) broker.Broker{}

// Broker says where the broker is.
func Broker(b *broker.Broker) Option { return func(o *Options) { o.Broker = b } }

// NewBroker adds a broker that can be chosen by name.
func NewBroker(name string, b func(...broker.Option) broker.Broker) Option {
	return func(o *Options) { o.Brokers = with(o.Brokers, name, b) }
}

func brokerPart() part {
	return part{
		flags: []cli.Flag{
			&cli.StringFlag{Name: "broker", Hidden: true},
			&cli.StringFlag{Name: "broker_address", Hidden: true},
		},
		apply: applyBroker,
	}
}

func applyBroker(in *input, g *given, to Options) (replaced bool, err error) {
	replaced, err = applyPart(in, "broker", broker.ErrNoBroker, to.Broker, merged(DefaultBrokers, to.Brokers), broker.Addrs)
	if replaced {
		g.toServer = append(g.toServer, server.Broker(*to.Broker))
		g.toClient = append(g.toClient, client.Broker(*to.Broker))
	}
	return replaced, err
}

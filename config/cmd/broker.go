package cmd

import (
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/rollcall-go/micro/broker"
	"github.com/rollcall-go/micro/client"
	"github.com/rollcall-go/micro/internal/builtin"
	"github.com/rollcall-go/micro/server"
)

// DefaultBrokers are the brokers that can be chosen by name. A program may add its own
// before Init.
var DefaultBrokers = builtin.Map(builtin.Brokers())

// Broker says where the broker is.
func Broker(b *broker.Broker) Option { return func(o *Options) { o.Broker = b } }

// NewBroker adds a broker that can be chosen by name.
func NewBroker(name string, b func(...broker.Option) broker.Broker) Option {
	return func(o *Options) { o.Brokers = with(o.Brokers, name, b) }
}

func brokerPart() part {
	return part{
		flags: []cli.Flag{
			&cli.StringFlag{
				Name: "broker", EnvVars: []string{"MICRO_BROKER"}, DefaultText: "the program's own, or http", Category: "Broker",
				Usage: "broker to publish and subscribe by: " + builtin.Choices(builtin.Brokers()),
			},
			&cli.StringFlag{
				Name: "broker_address", EnvVars: []string{"MICRO_BROKER_ADDRESS"}, DefaultText: "the broker's own", Category: "Broker",
				Usage: "addresses of the broker's servers, commas between; or where to listen, for one that has none",
			},
		},
		apply: applyBroker,
	}
}

// applyBroker puts the broker that was named in place of the one that is, unless that is
// of the name, and hands it the addresses that were given.
func applyBroker(in *input, g *given, to Options) (replaced bool, err error) {
	at := to.Broker
	if at == nil {
		at = &broker.DefaultBroker
	}
	present := nameOf(at)
	own := merged(DefaultBrokers, to.Brokers)
	name := choice(in, "broker", present, builtin.Brokers(), own)
	if in.err != nil {
		return false, in.err
	}
	if name != "" && name != present {
		*at, replaced = own[name](), true
		g.toServer = append(g.toServer, server.Broker(*at))
		g.toClient = append(g.toClient, client.Broker(*at))
	}
	if list, given := in.text("broker_address"); given {
		addresses := strings.FieldsFunc(list, func(r rune) bool { return r == ',' || r == ' ' })
		if err := (*at).Init(broker.Addrs(addresses...)); err != nil {
			in.fail("broker_address", list, "%w", err)
		}
	}
	return replaced, in.err
}

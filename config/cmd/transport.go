package cmd

import (
	"github.com/urfave/cli/v2"

	"github.com/rollcall-go/micro/client"
	"github.com/rollcall-go/micro/internal/builtin"
	"github.com/rollcall-go/micro/server"
	"github.com/rollcall-go/micro/transport"
)

// DefaultTransports are the transports that can be chosen by name. A program may add its
// own before Init.
var DefaultTransports = builtin.Map(builtin.Transports())

// Transport says where the transport is.
func Transport(t *transport.Transport) Option { return func(o *Options) { o.Transport = t } }

// NewTransport adds a transport that can be chosen by name.
func NewTransport(name string, t func(...transport.Option) transport.Transport) Option {
	return func(o *Options) { o.Transports = with(o.Transports, name, t) }
}

func transportPart() part {
	return part{
		flags: []cli.Flag{
			&cli.StringFlag{
				Name: "transport", EnvVars: []string{"MICRO_TRANSPORT"}, DefaultText: "the program's own, or http", Category: "Transport",
				Usage: "transport for what a program sends by it; calls go over gRPC: " + builtin.Choices(builtin.Transports()),
			},
			&cli.StringFlag{
				Name: "transport_address", EnvVars: []string{"MICRO_TRANSPORT_ADDRESS"}, DefaultText: "the transport's own", Category: "Transport",
				Usage: "addresses that the transport's connections go through, commas between",
			},
		},
		apply: applyTransport,
	}
}

// applyTransport puts the transport that was named in place of the one that is, unless that is
// of the name, and hands it the addresses that were given.
func applyTransport(in *input, g *given, to Options) (replaced bool, err error) {
	at := to.Transport
	if at == nil {
		at = &transport.DefaultTransport
	}
	present := nameOf(at)
	own := merged(DefaultTransports, to.Transports)
	name := choice(in, "transport", present, builtin.Transports(), own)
	if in.err != nil {
		return false, in.err
	}
	if name != "" && name != present {
		*at = own[name]()
		g.toServer = append(g.toServer, server.Transport(*at))
		g.toClient = append(g.toClient, client.Transport(*at))
	}
	if list, given := in.text("transport_address"); given && present+name != "" {
		if err := (*at).Init(transport.Addrs(separated(list)...)); err != nil {
			in.fail("transport_address", list, "%w", err)
		}
	}
	return false, in.err
}

package cmd

import (
	"github.com/urfave/cli/v2"

	"github.com/rollcall-go/micro/client"
	"github.com/rollcall-go/micro/server"
	"github.com/rollcall-go/micro/transport"
)

// DefaultTransports are the transports that can be chosen by name. A program may add its
// own before Init.
var DefaultTransports = map[string]func(...transport.Option) transport.Transport{}

// Transport says where the transport is.
func Transport(t *transport.Transport) Option { return func(o *Options) { o.Transport = t } }

// NewTransport adds a transport that can be chosen by name.
func NewTransport(name string, t func(...transport.Option) transport.Transport) Option {
	return func(o *Options) { o.Transports = with(o.Transports, name, t) }
}

func transportPart() part {
	return part{
		flags: []cli.Flag{
			&cli.StringFlag{Name: "transport", Hidden: true},
			&cli.StringFlag{Name: "transport_address", Hidden: true},
		},
		apply: applyTransport,
	}
}

func applyTransport(in *input, g *given, to Options) (replaced bool, err error) {
	replaced, err = applyPart(in, "transport", transport.ErrNoTransport, to.Transport, merged(DefaultTransports, to.Transports), transport.Addrs)
	if replaced {
		g.toServer = append(g.toServer, server.Transport(*to.Transport))
		g.toClient = append(g.toClient, client.Transport(*to.Transport))
	}
	return replaced, err
}

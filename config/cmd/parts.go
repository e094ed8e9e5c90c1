package cmd

import (
	"errors"
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/rollcall-go/micro/broker"
	"github.com/rollcall-go/micro/client"
	"github.com/rollcall-go/micro/client/selector"
	"github.com/rollcall-go/micro/server"
	"github.com/rollcall-go/micro/transport"
)

// partFlags are the flags of the parts of which this release has no implementation
// to choose. They work for those that the program brings along.
func partFlags() []cli.Flag {
	var flags []cli.Flag
	for _, name := range []string{"broker", "broker_address", "selector", "transport", "transport_address"} {
		flags = append(flags, &cli.StringFlag{Name: name, Hidden: true})
	}
	return flags
}

// applyParts puts broker and transport in place as given, adds to g what
// server and client have to be told of them, and reports whether it replaced a part.
func applyParts(in *input, g *given, to Options) (replaced bool, err error) {
	newBroker, err := applyPart(in, "broker", broker.ErrNoBroker, to.Broker, merged(DefaultBrokers, to.Brokers), broker.Addrs)
	if err != nil {
		return false, err
	}
	if newBroker {
		g.toServer = append(g.toServer, server.Broker(*to.Broker))
		g.toClient = append(g.toClient, client.Broker(*to.Broker))
	}
	newTransport, err := applyPart(in, "transport", transport.ErrNoTransport, to.Transport, merged(DefaultTransports, to.Transports), transport.Addrs)
	if err != nil {
		return false, err
	}
	if newTransport {
		g.toServer = append(g.toServer, server.Transport(*to.Transport))
		g.toClient = append(g.toClient, client.Transport(*to.Transport))
	}
	return newBroker || newTransport, in.err
}

// applyPart puts the implementation that was named in place, if the program has one
// of that name, and hands it the addresses that were given. What has no effect is
// told once; none is the error of a part that only stands where one would be.
func applyPart[O any, P interface {
	fmt.Stringer
	Init(...O) error
}](in *input, kind string, none error, at *P, own map[string]func(...O) P, addrs func(...string) O) (replaced bool, err error) {
	missing := func() bool {
		if at == nil || any(*at) == nil {
			return true
		}
		c, ok := any(*at).(interface{ Err() error })
		return ok && errors.Is(c.Err(), none)
	}
	if name, named := in.text(kind); named && (nameOf(at) != name || missing()) {
		if construct, ok := own[name]; ok && at != nil {
			*at, replaced = construct(), true
		} else {
			tellOnce(in.source(kind), noneOfThatName(kind))
		}
	}
	address := kind + "_address"
	list, given := in.text(address)
	switch {
	case !given:
	case missing():
		tellOnce(in.source(address), "there is no "+kind+" in this release")
	default:
		split := strings.FieldsFunc(list, func(r rune) bool { return r == ',' || r == ' ' })
		if err := (*at).Init(addrs(split...)); err != nil {
			return replaced, fmt.Errorf("set up the %s: %w", kind, err)
		}
	}
	return replaced, nil
}

// applySelector gives the client the selector that was named, if the program has
// one of that name.
func applySelector(in *input, g *given, to Options) {
	name, named := in.text("selector")
	if !named || to.Client != nil && (*to.Client).Options().Selector != nil && (*to.Client).Options().Selector.String() == name {
		return
	}
	construct, ok := merged(DefaultSelectors, to.Selectors)[name]
	if !ok {
		tellOnce(in.source("selector"), noneOfThatName("selector"))
		return
	}
	var opts []selector.Option
	if to.Registry != nil {
		opts = append(opts, selector.Registry(*to.Registry))
	}
	made := construct(opts...)
	if to.Selector != nil {
		*to.Selector = made
	}
	g.toClient = append(g.toClient, client.Selector(made))
}

func noneOfThatName(kind string) string {
	return "there is no " + kind + " of that name; a program brings one along with cmd.New" + strings.ToUpper(kind[:1]) + kind[1:]
}

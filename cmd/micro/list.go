package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/rollcall-go/micro/internal/nearby"
	"github.com/rollcall-go/micro/internal/operate"
)

func listCommand() *cli.Command {
	return &cli.Command{
		Name:  "list",
		Usage: "list what is registered",
		Subcommands: []*cli.Command{{
			Name:  "services",
			Usage: "list the registered services",
			Description: `Lists every service with its versions and the number of its nodes, and how many
more an operator keeps out ("micro node pause").

   micro list services
   micro list services --registry_address=10.0.0.1:2379,10.0.0.2:2379
   micro list services -o json`,
			Flags:  append(registryFlags(5*time.Second), outputFlag()),
			Before: arguments(0, 0),
			Action: withRegistry(listServices),
		}},
	}
}

// listing is the list of services.
type listing []operate.Summary

var _ result = listing(nil)

func listServices(s *session) error {
	ctx, cancel := context.WithTimeout(s.Context.Context, s.target.timeout)
	defer cancel()
	services, err := operate.Services(ctx, s.registry)
	if err != nil {
		return err
	}
	all := operate.Summarize(services, s.pauses(""))
	if len(all) == 0 && s.registry.String() == "mdns" && nearby.Etcd(s.Context.Context, nearby.EtcdAddress) {
		stderr(s.Context).note("micro: nothing is registered in mdns; %s", nearby.Hint(nearby.EtcdAddress))
	}
	return show(s.Context, listing(all))
}

// pauses returns the paused nodes of a service, or of all when service is empty.
// Where they cannot be told a line on standard error says so: what else there is to
// say is not held back for it.
func (s *session) pauses(service string) []operate.Pause {
	paused, err := s.operator.Pauses(s.Context.Context, service)
	if err != nil {
		stderr(s.Context).note("micro: paused nodes cannot be told: %v", err)
	}
	return paused
}

func (l listing) value() any { return l }

func (l listing) table(w screen) error {
	t := newTable(w, "", "NAME", "VERSIONS", "NODES")
	for _, s := range l {
		nodes := strconv.Itoa(s.Nodes)
		if s.Paused > 0 {
			nodes += fmt.Sprintf(", paused %d", s.Paused)
		}
		t.row(s.Name, strings.Join(s.Versions, ", "), nodes)
	}
	return t.flush()
}

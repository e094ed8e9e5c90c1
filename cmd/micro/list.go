package main

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/rollcall-go/micro/registry"
)

func listCommand() *cli.Command {
	return &cli.Command{
		Name:  "list",
		Usage: "list what is registered",
		Subcommands: []*cli.Command{{
			Name:  "services",
			Usage: "list the registered services",
			Description: `Lists every service with its versions and the number of its nodes.

   micro list services
   micro list services --registry_address=10.0.0.1:2379,10.0.0.2:2379
   micro list services -o json`,
			Flags:  append(registryFlags(5*time.Second), outputFlag()),
			Before: arguments(0, 0),
			Action: withRegistry(listServices),
		}},
	}
}

// listed is a service as list shows it.
type listed struct {
	Name     string   `json:"name"`
	Versions []string `json:"versions"`
	Nodes    int      `json:"nodes"`
}

func listServices(c *cli.Context, p registryTarget, r registry.Registry) error {
	asJSON, err := wantsJSON(c)
	if err != nil {
		return err
	}
	services, err := r.ListServices(registry.ListContext(c.Context))
	if err != nil {
		return p.explain(err)
	}
	all := summarize(services)
	if asJSON {
		return printJSON(c.App.Writer, all)
	}
	t := newTable(c.App.Writer, "", "NAME", "VERSIONS", "NODES")
	for _, s := range all {
		t.row(s.Name, strings.Join(s.Versions, ", "), strconv.Itoa(s.Nodes))
	}
	return t.flush()
}

// summarize makes one line of all versions of a service. The services are sorted
// by name.
func summarize(services []*registry.Service) []listed {
	all := []listed{} // printed as [] when empty
	for _, s := range services {
		if n := len(all); n == 0 || all[n-1].Name != s.Name {
			all = append(all, listed{Name: s.Name})
		}
		last := &all[len(all)-1]
		if !slices.Contains(last.Versions, s.Version) {
			last.Versions = append(last.Versions, s.Version)
		}
		last.Nodes += len(s.Nodes)
	}
	return all
}

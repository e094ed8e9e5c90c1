package main

import (
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/rollcall-go/micro/config/center"
	"github.com/rollcall-go/micro/config/source"
)

func explainCommand() *cli.Command {
	return configSub("explain", "PATH", "show which key gives a value, and why", `Shows what a service reads at PATH, and each key that says something of it, what lies
over others first: a later layer over an earlier one, in a layer a longer key over a
shorter one, and a gray over the key that it is for. Which grays are in force depends on
what the flags say of the node.

   micro config explain database/port --service shop --environment prod
   micro config explain database --service shop --node shop-7f3c`, 1, 1, explainConfig,
		&cli.StringFlag{Name: "service", Category: "Reader", Usage: "as the service `NAME` reads it"},
		&cli.StringFlag{Name: "environment", Category: "Reader", Usage: "in the environment `NAME`"},
		&cli.StringFlag{Name: "node", Category: "Reader", Usage: "as the node with the `ID`"},
		&cli.StringFlag{Name: "host", Category: "Reader", Usage: "on the machine `NAME`"},
		&cli.StringFlag{Name: "service-version", Category: "Reader", Usage: "in the `VERSION` of the service"},
		&cli.StringSliceFlag{Name: "metadata", Category: "Reader", Usage: "with `KEY=VALUE` in the node's metadata, as often as needed"})
}

func explainConfig(s *configSession) error {
	reader := source.Instance{
		Service: s.String("service"), Environment: s.String("environment"), Node: s.String("node"), Host: s.String("host"), Version: s.String("service-version"),
		Metadata: make(map[string]string),
	}
	for _, pair := range s.StringSlice("metadata") {
		key, value, ok := strings.Cut(pair, "=")
		if !ok || key == "" {
			return usagef("invalid value %q for \"--metadata\": give KEY=VALUE", pair)
		}
		reader.Metadata[key] = value
	}
	if s.path() == "" {
		return usagef("give the path of a value, as in database/port")
	}
	x, err := s.Explain(s.Context.Context, reader, s.path())
	if err != nil {
		return err
	}
	for _, unread := range x.Unread {
		stderr(s.Context).note("cannot be read: %s", unread)
	}
	return show(s.Context, explanation(x))
}

type explanation center.Explanation

var _ result = explanation{}

func (x explanation) value() any { return center.Explanation(x) }

func (x explanation) table(w screen) error {
	w.line("%s is %s", x.Path, spelled(x.Value))
	if len(x.Given) == 0 {
		return nil
	}
	t := newTable(w, "  ", "FOR", "KEY", "VALUE", "REVISION", "COUNTS", "WHY")
	for _, g := range x.Given {
		whom, counts := g.Layer, "no"
		if g.Gray != "" {
			whom = "gray " + g.Gray + ": " + g.For
		}
		if g.Counts {
			counts = "yes"
		}
		t.row(whom, g.Key, cell(g.Value), strconv.FormatInt(g.Revision, 10), counts, g.Why)
	}
	return t.flush()
}

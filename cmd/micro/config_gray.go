package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/rollcall-go/micro/config/center"
	"github.com/rollcall-go/micro/internal/similar"
)

// grayCommand groups what is done about values for some nodes alone.
func grayCommand() *cli.Command {
	return &cli.Command{
		Name:  "gray",
		Usage: "give some nodes other values first",
		Subcommands: []*cli.Command{
			configSub("set", "NAME [KEY VALUE...]", "set values for some nodes alone", `Gives the nodes that meet all the conditions the VALUES in place of those of everybody:
one release. Services of go-micro v2 keep what everybody has. A condition that is given
takes the place of the one of its kind that the gray NAME had, a value that of its key;
what is not given stays. Which nodes --percent means depends on NAME and on their ids
alone: when it grows none of them is left out.

   micro config gray set new-port database/port 3307 --service shop --percent 10
   micro config gray set new-port --percent 50
   micro config gray set beta limits '{"rps": 5}' --metadata zone=a --metadata tier=test
   micro config gray set one --node shop-8f1c limits '{"rps": 5}' --dry-run`, 1, many, setGray, append(writeFlags(), grayFlags()...)...),
			configSub("list", "", "list grays", `Lists who has other values than everybody, and how many of the registered nodes that
are. Of hosts and environments the registry does not know.

   micro config gray list
   micro config gray list -o json`, 0, 0, listGrays),
			configSub("show", "NAME", "show a gray", `Shows the values of the gray NAME beside those of everybody, and the nodes that have them.

   micro config gray show new-port`, 1, 1, showGray),
		},
	}
}

// grayCommands are grayCommand and the two ends of a gray.
func grayCommands() []*cli.Command {
	return []*cli.Command{
		grayCommand(),
		configSub("promote", "NAME", "make a gray's values those of everybody", `Makes the values of the gray NAME those of everybody, and takes the gray away: one
release. It is refused if one of its keys has another value by now than when it was put
into the gray, and shows both.

   micro config promote new-port --dry-run
   micro config promote new-port --comment "a day without errors"
   micro config promote new-port --anyway`, 1, 1, promoteGray, append(writeFlags(),
			&cli.BoolFlag{Name: "anyway", Usage: "also if the values of everybody were changed meanwhile", DisableDefaultText: true})...),
		configSub("abort", "NAME", "give a gray up", `Takes the gray NAME away, so that its nodes have what everybody has: one release.

   micro config abort new-port --comment "too many errors"`, 1, 1, abortGray, writeFlags()...),
	}
}

// grayFlags say who a gray is for.
func grayFlags() []cli.Flag {
	const category = "Who has the values"
	several := func(name, what string) cli.Flag {
		return &cli.StringSliceFlag{Name: name, Category: category, Usage: what + "; may be given more than once"}
	}
	return []cli.Flag{
		&cli.IntFlag{Name: "percent", Category: category, Usage: "`N` in a hundred of those that meet the other conditions", DefaultText: "all of them"},
		several("service", "nodes of the service `NAME`"),
		several("environment", "those that read the layers of the environment `NAME`"),
		several("node", "the node `ID`"),
		several("host", "nodes on the `HOST`, as its operating system names it"),
		several("version", "nodes of the `VERSION`"),
		several("metadata", "nodes with the metadata `KEY=VALUE`, of several with all of them"),
		several("without", "take the `KEY` away for those nodes"),
		&cli.BoolFlag{Name: "new-keys", Usage: "a KEY may be one that nobody has yet", DisableDefaultText: true},
		&cli.BoolFlag{Name: "anew", Usage: "forget what the gray had", DisableDefaultText: true},
	}
}

func setGray(s *configSession) error {
	name := s.Args().First()
	g, err := s.Gray(s.Context.Context, name)
	switch {
	case errors.Is(err, center.ErrNotFound), err == nil && (g.Unread != "" || s.Bool("anew")):
		g = center.Gray{Name: name}
	case err != nil:
		return err
	}
	if err := matchOf(s.Context, &g.Match); err != nil {
		return err
	}
	given, err := s.valuesOf(s.Args().Slice()[1:])
	if err != nil {
		return err
	}
	if g.Values == nil {
		g.Values = make(map[string]*string)
	}
	for _, e := range given {
		g.Values[e.Key] = e.Value
	}
	for _, key := range s.StringSlice("without") {
		given = append(given, center.Delete(key))
		g.Values[key] = nil
	}
	if err := s.known(given); err != nil {
		return err
	}
	if len(g.Values) == 0 {
		return usagef("gray %q has no values: give pairs of KEY and VALUE", name)
	}
	if g.Who = s.author(); s.IsSet("comment") {
		g.Comment = s.String("comment")
	}
	d, err := s.SetGray(s.Context.Context, g)
	if err != nil {
		return err
	}
	if err := s.release(d); err != nil {
		return err
	}
	s.noteNodes(g)
	return nil
}

// matchOf puts the conditions that the flags give into m.
func matchOf(c *cli.Context, m *center.Match) error {
	if c.IsSet("percent") {
		n := c.Int("percent")
		if n < 0 || n > 100 {
			return usagef("invalid value %q for \"--percent\": give a number from 0 to 100", c.String("percent"))
		}
		m.Percent = &n
	}
	for name, list := range map[string]*[]string{
		"service": &m.Services, "environment": &m.Environments, "node": &m.Nodes, "host": &m.Hosts, "version": &m.Versions,
	} {
		if c.IsSet(name) {
			*list = c.StringSlice(name)
		}
		if slices.Contains(*list, "") {
			return usagef("invalid value \"\" for \"--%s\": it is empty", name)
		}
	}
	if c.IsSet("metadata") {
		m.Metadata = make(map[string]string)
	}
	for _, pair := range c.StringSlice("metadata") {
		key, value, ok := strings.Cut(pair, "=")
		if !ok || key == "" {
			return usagef("invalid value %q for \"--metadata\": give KEY=VALUE", pair)
		}
		m.Metadata[key] = value
	}
	if err := m.Check(); err != nil {
		return usagef("it is not said who the values are for: give --percent, --service, --node, --host, --version, --metadata or --environment")
	}
	return nil
}

// known returns which key of the edits nobody has, if --new-keys does not allow that.
func (s *configSession) known(edits []center.Edit) error {
	if s.Bool("new-keys") {
		return nil
	}
	for _, e := range edits {
		_, err := s.Get(s.Context.Context, e.Key)
		if !errors.Is(err, center.ErrNotFound) {
			if err != nil {
				return err
			}
			continue
		}
		all, err := s.List(s.Context.Context, "")
		if err != nil {
			return err
		}
		keys := make([]string, len(all))
		for i, one := range all {
			keys[i] = one.Key
		}
		hint := ""
		if near := suggest(e.Key, keys); len(near) > 0 {
			hint = fmt.Sprintf("; there is %s", few(near))
		}
		if e.Value == nil {
			return fmt.Errorf("take key %q away: nobody has it%s", e.Key, hint)
		}
		return fmt.Errorf("set key %q for some nodes: nobody has it%s; --new-keys allows one that is new", e.Key, hint)
	}
	return nil
}

func promoteGray(s *configSession) error {
	name := grayName(s.Args().First())
	d, err := s.Promote(s.Context.Context, name, s.Bool("anyway"))
	var conflict *center.ConflictError
	switch {
	case errors.As(err, &conflict):
		return fmt.Errorf("%w; --anyway takes those of the gray", err)
	case err != nil:
		return s.nearGray(name, err)
	}
	return s.release(d)
}

func abortGray(s *configSession) error {
	name := grayName(s.Args().First())
	d, err := s.Abort(s.Context.Context, name)
	if err != nil {
		return s.nearGray(name, err)
	}
	return s.release(d)
}

// nearGray adds to an error that there is no gray of the name which one may be meant.
func (s *configSession) nearGray(name string, err error) error {
	if !errors.Is(err, center.ErrNotFound) {
		return err
	}
	all, unread := s.Grays(s.Context.Context)
	if unread != nil {
		return err
	}
	if len(all) == 0 {
		return fmt.Errorf("there is no gray %q, and no other one", name)
	}
	names := make([]string, len(all))
	for i, g := range all {
		names[i] = spelledGray(g.Name)
	}
	return fmt.Errorf("there is no gray %q: choose one of %s", name, few(similar.Closest(name, names, most)))
}

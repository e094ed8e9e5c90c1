package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/rollcall-go/micro/config/center"
	"github.com/rollcall-go/micro/config/secret"
	"github.com/rollcall-go/micro/internal/registryflags"
)

// configCommand groups what is done to the configuration in etcd.
func configCommand() *cli.Command {
	return &cli.Command{
		Name:  "config",
		Usage: "operate the configuration in etcd",
		Subcommands: append([]*cli.Command{
			configSub("get", "KEY", "print a value", `Prints the value as it stands in etcd. KEY is what stands behind /micro/config/.

   micro config get database/port`, 1, 1, getConfig),
			configSub("list", "[PATH]", "list keys with their values", `Lists the key PATH and all keys below it, or all keys there are.

   micro config list
   micro config list database -o json`, 0, 1, listConfig),
			configSub("set", "KEY VALUE [KEY VALUE...]", "set keys", `Sets all the keys at once: one release, which services see as one change. A VALUE
is JSON; - reads it from standard input. Refused is what services would not take,
what somebody else changed at the same moment, and a key above or below another one.

   micro config set database/port 3306 --comment "moved"
   micro config set greeting '"Good day"' limits '{"rps": 10}' --dry-run`, 2, many, setConfig, writeFlags()...),
			configSub("del", "KEY...", "delete keys", `Deletes all the keys at once: one release.

   micro config del database/port --comment "the default will do"`, 1, many, deleteConfig, writeFlags()...),
			editCommand(),
			explainCommand(),
			configSub("history", "[PATH]", "show who changed what, and when", `Shows the releases, newest first, and among them what was written past this command,
by etcdctl or a tool of v2 (FOREIGN): of the whole configuration, or of the keys at
and below PATH.

   micro config history
   micro config history database --limit 5
   micro config history --before 4711`, 0, 1, showHistory,
				&cli.IntFlag{Name: "limit", Value: 20, Usage: "show `N` at most"},
				&cli.Int64Flag{Name: "before", Usage: "show what came before the `REVISION` of etcd", DefaultText: "now"}),
			configSub("diff", "FROM [TO]", "show what differs", `Shows what has to change for FROM to become TO, by default what there is now. Each is
   12                    what release 12 left
   @4711                 what there was at a revision of etcd, while etcd remembers it
   now                   what there is
   FILE.json             a file of "micro config export", .yaml and .toml too
   /_environment/prod    the keys below a path, now, without that path

   micro config diff 12
   micro config diff now database.yaml
   micro config diff /_environment/test /_environment/prod`, 1, 2, diffConfig),
			configSub("rollback", "RELEASE [PATH]", "bring back what a release left", `Makes a release by which every key that was released is as RELEASE left it, also where
somebody wrote past this command since; with PATH only what is at and below it. Keys
that no release has written stay.

   micro config history
   micro config rollback 12 --dry-run
   micro config rollback 12
   micro config rollback 12 database`, 1, 2, rollBack, writeFlags()...),
			configSub("watch", "[PATH]", "print what changes, as it happens", `Prints a line for each key at or below PATH that changes, whoever changes it, until it
is interrupted.

   micro config watch
   micro config watch database -o json`, 0, 1, watchConfig),
			schemaCommand(),
			lintCommand(),
			secretCommand(),
			configSub("export", "[PATH]", "write keys to a file", `Writes the key PATH and all keys below it as one object with a field for each key, in
the order of the keys. "micro config import" reads it.

   micro config export > config.json
   micro config export database --format yaml
   micro config diff config.json`, 0, 1, exportConfig, formatFlag("json")),
			configSub("import", "FILE", "release what is in a file", `Sets the keys that the file has, where they differ, in one release. The ending of its name
says what it is; - reads standard input.

   micro config import config.yaml --dry-run
   micro config import config.json --delete database`, 1, 1, importConfig,
				append(writeFlags(), formatFlag("by the name"), &cli.StringFlag{Name: "delete", DefaultText: "nothing", Usage: "also delete what is at or below `PATH` and not in the file"})...),
		}, slices.Concat([]*cli.Command{configStatusCommand()}, grayCommands(), grantCommands())...),
	}
}

// many is no bound on arguments.
const many = 1 << 20

// configSession is what a command about configuration works with.
type configSession struct {
	*session
	*center.Center
}

func configSub(name, args, usage, description string, least, most int, action func(*configSession) error, flags ...cli.Flag) *cli.Command {
	return &cli.Command{
		Name: name, Usage: usage, ArgsUsage: args, Description: description,
		Flags: append(append(etcdFlags(5*time.Second), outputFlag()), flags...),
		Before: func(c *cli.Context) error {
			for _, check := range []func(*cli.Context) error{checkWait, checkConfigFlags, arguments(least, most)} {
				if err := check(c); err != nil {
					return err
				}
			}
			return nil
		},
		Action: func(c *cli.Context) error {
			if registryflags.Given(c, "registry") == "" { // configuration is operated in etcd alone
				if err := c.Set("registry", "etcd"); err != nil {
					return err
				}
			}
			return withRegistry(func(s *session) error { return withCenter(s, action) })(c)
		},
	}
}

// etcdFlags returns registryFlags with another help text: where nothing is said, it is etcd.
func etcdFlags(timeout time.Duration) []cli.Flag {
	flags := registryFlags(timeout)
	for _, f := range flags {
		if kind, ok := f.(*cli.StringFlag); ok && kind.Name == "registry" {
			kind.DefaultText = "etcd"
		}
	}
	return flags
}

// withCenter calls action with the centre in the registry of s.
func withCenter(s *session, action func(*configSession) error) error {
	var options []center.Option
	if s.IsSet("keep") {
		options = append(options, center.Keep(s.Int("keep")))
	}
	if s.IsSet("keep-for") {
		options = append(options, center.KeepFor(s.Duration("keep-for")))
	}
	c, err := center.New(s.registry, options...)
	if err != nil {
		return err
	}
	err = action(&configSession{s, c})
	if errors.Is(err, center.ErrUncertain) {
		return fmt.Errorf("%w; `micro config history` tells", err)
	}
	return err
}

// released is a release as the commands that make one show it.
type released struct {
	center.Release
	// Instances are those that were waited for, nil if none were.
	Instances *waited `json:"instances,omitempty"`
	planned   bool
}

var _ result = released{}

// release makes a release, or shows what it would be.
func (s *configSession) release(d center.Draft) error {
	r, err := s.carryOut(d)
	if errors.Is(err, center.ErrNoChange) {
		stderr(s.Context).note("nothing would change, so nothing was released")
		return show(s.Context, released{Release: center.Release{Changes: []center.Change{}}, planned: true})
	}
	if _, refused := errors.AsType[*center.SchemaError](err); refused {
		return fmt.Errorf("%w; --force releases it all the same", err)
	}
	if err != nil {
		return err
	}
	for _, key := range r.Unseen {
		stderr(s.Context).note("key %q may not be read: if it has a value, go-micro v2 loses that or what is below it", key)
	}
	if r.Unjudged {
		stderr(s.Context).note("the schemas may not be read, so nothing was judged by them")
	}
	for _, v := range r.Violations {
		stderr(s.Context).note("forced: %s", v)
	}
	return s.showReleased(r)
}

// showReleased shows a release, and waits until instances have it if that is asked for: a
// person sees the release at once, a program gets all in the end.
func (s *configSession) showReleased(r center.Release) error {
	all := released{Release: r, planned: s.Bool("dry-run")}
	if all.planned || !s.Bool("wait") {
		return show(s.Context, all)
	}
	if wantsJSON(s.Context) {
		done, late := s.await(r)
		all.Instances = &done
		return errors.Join(show(s.Context, all), late)
	}
	if err := show(s.Context, all); err != nil {
		return err
	}
	done, late := s.await(r)
	if late == nil {
		stdout(s.Context).line("%s", done.summary())
	}
	return late
}

// author is who makes a release.
func (s *configSession) author() string {
	if who := s.String("author"); who != "" {
		return who
	}
	return whoAmI()
}

// carryOut makes a release as the flags say, or plans it.
func (s *configSession) carryOut(d center.Draft) (center.Release, error) {
	d.Who = s.author()
	d.Force = s.Bool("force")
	if s.IsSet("comment") {
		d.Comment = s.String("comment")
	}
	if s.Bool("dry-run") {
		return s.Plan(s.Context.Context, d)
	}
	return s.Release(s.Context.Context, d)
}

func (r released) value() any { return r }

func (r released) table(w screen) error {
	switch {
	case len(r.Changes) == 0:
		return nil
	case r.planned:
		w.line("this would be release %d; nothing was written", r.Number)
	default:
		w.line("release %d, at revision %d", r.Number, r.Revision)
	}
	return changeTable(w, r.Changes)
}

// changeTable prints what changed.
func changeTable(w screen, changes []center.Change) error {
	t := newTable(w, "  ", "KEY", "BEFORE", "AFTER")
	for _, c := range changes {
		t.row(spelledKey(c), cell(c.Before), cell(c.After))
	}
	return t.flush()
}

// spelledKey is a key as tables show it: what is no value has its kind before it.
func spelledKey(c center.Change) string {
	if c.Kind == center.KindValue {
		return c.Key
	}
	if c.Kind == center.KindGray {
		return string(c.Kind) + " " + spelledGray(c.Key)
	}
	return string(c.Kind) + " " + c.Key
}

// cell is a value as tables show it.
func cell(value *string) string {
	const most = 80
	if value == nil {
		return ""
	}
	text := secret.Hide(strings.Join(strings.Fields(*value), " "))
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most]) + "..."
	}
	return text
}

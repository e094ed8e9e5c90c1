package main

import (
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/rollcall-go/micro/config/center"
	"github.com/rollcall-go/micro/internal/defaults"
)

// writeFlags are the flags of whatever makes a release.
func writeFlags() []cli.Flag {
	const category = "Release"
	return []cli.Flag{
		&cli.BoolFlag{Name: "dry-run", Category: category, Usage: "show what would change, and change nothing", DisableDefaultText: true},
		&cli.BoolFlag{Name: "force", Category: category, Usage: "release what schemas do not take, and say what that is", DisableDefaultText: true},
		&cli.StringFlag{Name: "comment", Category: category, Usage: "tell others `WHY`"},
		&cli.StringFlag{Name: "author", Category: category, Usage: "tell others `WHO` did it", DefaultText: "user@host"},
		&cli.IntFlag{Name: "keep", Category: category, Value: defaults.ConfigHistory, Usage: "keep `N` releases on record"},
		waitFlag(),
		&cli.DurationFlag{Name: "keep-for", Category: category, Usage: "keep no release on record that is older than `DURATION`, but for the newest ten", DefaultText: "any age"},
	}
}

func formatFlag(text string) cli.Flag {
	return &cli.StringFlag{Name: "format", DefaultText: text, Usage: "`FORMAT` of the file: json, yaml or toml"}
}

// checkConfigFlags refuses values of flags that cannot be meant. An empty one is what a
// variable of a shell is that nobody has set: it must not mean everything.
func checkConfigFlags(c *cli.Context) error {
	wrong := func(name, want string) error {
		return usagef("invalid value %q for %q: %s", c.String(name), dashed(name), want)
	}
	has := func(name string) bool { return named(c.Command.Flags, name) != nil && c.IsSet(name) }
	switch {
	case has("keep") && c.Int("keep") < 1:
		return usagef("invalid value \"%d\" for \"--keep\": give a number above 0", c.Int("keep"))
	case has("keep-for") && c.Duration("keep-for") <= 0:
		return usagef("invalid value %q for \"--keep-for\": give a duration above 0, such as 720h", c.Duration("keep-for"))
	case has("limit") && c.Int("limit") < 1:
		return usagef("invalid value \"%d\" for \"--limit\": give a number above 0", c.Int("limit"))
	case has("before") && c.Int64("before") < 1:
		return usagef("invalid value \"%d\" for \"--before\": give a revision that `micro config history` shows", c.Int64("before"))
	case has("delete") && strings.TrimSpace(c.String("delete")) == "":
		return wrong("delete", "give a PATH, or / for all that is not in the file")
	case has("format") && !isFormat(c.String("format")):
		return wrong("format", "choose json, yaml or toml")
	}
	if flag, ok := named(c.Command.Flags, "service").(*cli.StringFlag); ok && c.IsSet("service") && c.String(flag.Name) == "" {
		return wrong("service", "give the name of a service, or leave it out")
	}
	return nil
}

// isFormat reports whether files can be written in a format.
func isFormat(name string) bool {
	_, err := center.Encode(nil, name)
	return err == nil
}

// pathArgument returns the path that the argument n is, "" if there is none. One that is
// given and empty is what a variable of a shell is that nobody has set: it must not mean
// everything.
func pathArgument(c *cli.Context, n int) (string, error) {
	path := strings.Trim(c.Args().Get(n), "/")
	if c.NArg() > n && path == "" {
		return "", usagef("invalid path %q: leave it out to mean everything", c.Args().Get(n))
	}
	return path, nil
}

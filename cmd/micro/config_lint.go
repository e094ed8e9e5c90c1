package main

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/rollcall-go/micro/config/center"
)

func lintCommand() *cli.Command {
	return configSub("lint", "[PATH|FILE]", "find what is wrong", `Looks at all values, or at those at and below PATH: for those that cannot be read, for
fields that stand twice in an object, for keys that cannot be meant, for what go-micro v2
loses or reads otherwise than it is written, for what a schema does not take, each way it
is read, and for secrets that are not sealed, or are damaged; with --key-file each that is sealed
for one of its keys is opened. With a FILE of "micro config export" it looks
at what would be there after an import of it. The exit code is 1 if there is a finding.

   micro config lint
   micro config lint database -o json
   micro config lint config.yaml --without-v2`, 0, 1, lintConfig,
		&cli.BoolFlag{Name: "without-v2", Usage: "leave out what go-micro v2 alone has trouble with", DisableDefaultText: true},
		&cli.BoolFlag{Name: "v2-strip-prefix", Usage: "services of v2 read with StripPrefix(true)", DisableDefaultText: true},
		formatFlag("by the name"), keyFlag())
}

func lintConfig(s *configSession) error {
	var with center.Tree
	meant := func(center.Finding) bool { return true }
	switch arg := s.Args().First(); {
	case arg == "":
	case filepath.Ext(arg) != "" && arg[0] != '/':
		file, err := readTree(s.Context, arg)
		if err != nil {
			return err
		}
		with = file
	default:
		path := s.path()
		meant = func(f center.Finding) bool { return center.Within(f.Key, path) || center.Within(f.Path, path) }
	}
	o := center.LintOptions{WithoutV2: s.Bool("without-v2"), Stripped: s.Bool("v2-strip-prefix")}
	if hasKeys(s.Context) {
		o.Keys = keysOf(s.Context)
		if _, err := o.Keys.All(); err != nil {
			return err
		}
	}
	all, err := s.Lint(s.Context.Context, o, with)
	if err != nil {
		return err
	}
	all = slices.DeleteFunc(all, func(f center.Finding) bool { return !meant(f) })
	if err := show(s.Context, lintFindings(all)); err != nil {
		return err
	}
	if len(all) > 0 {
		return errReported
	}
	return nil
}

// lintFindings are what is wrong with a configuration.
type lintFindings []center.Finding

var _ result = lintFindings{}

func (all lintFindings) value() any { return append([]center.Finding{}, all...) }

func (all lintFindings) table(w screen) error {
	for _, f := range all {
		w.line("%s [%s]", f, f.Kind)
	}
	_, err := fmt.Fprintf(w, "%s\n", strings.TrimSpace(plural(len(all), "finding")))
	return err
}

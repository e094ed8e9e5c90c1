package cmd

import (
	"errors"
	"strings"

	"github.com/urfave/cli/v2"
)

// part is one of the parts that services may have, as far as the command line reaches
// into it. Each has a file of its own, with its Default map and its options.
type part struct {
	// flags are those of the part. Hidden ones are accepted, so that deployments of v2
	// need not change.
	flags []cli.Flag
	// apply puts the part in place that was named, and sets it up as given. What server
	// and client have to be told of it goes into g. It reports whether it replaced a part
	// that uses the registry. May be nil.
	apply func(in *input, g *given, to Options) (replaced bool, err error)
	// unserved are the settings of v2 behind which there is nothing.
	unserved []unserved
}

// parts returns the parts in the order in which --help shows their flags and in which
// they are applied, behind server and client and before registry and selector.
func parts() []part {
	return []part{
		brokerPart(),
		transportPart(),
		storePart(),
		authPart(),
		tracerPart(),
		profilePart(),
		debugPart(),
		platformPart(),
	}
}

// partFlags returns the flags of the parts, those that are hidden or those that are not.
func partFlags(hidden bool) []cli.Flag {
	var flags []cli.Flag
	for _, p := range append(parts(), selectorPart()) {
		for _, f := range p.flags {
			if v, ok := f.(cli.VisibleFlag); (ok && !v.IsVisible()) == hidden {
				flags = append(flags, f)
			}
		}
	}
	return flags
}

// applyParts applies what was given for the parts, and reports whether it replaced one
// that uses the registry.
func applyParts(in *input, g *given, to Options) (replaced bool, err error) {
	for _, p := range parts() {
		if p.apply == nil {
			continue
		}
		r, err := p.apply(in, g, to)
		if err = errors.Join(err, in.err); err != nil {
			return replaced, err
		}
		replaced = replaced || r
	}
	return replaced, nil
}

// separated returns the addresses in a list.
func separated(list string) []string {
	return strings.FieldsFunc(list, func(r rune) bool { return r == ',' || r == ' ' })
}

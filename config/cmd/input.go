package cmd

import (
	"fmt"
	"strings"
	"time"

	"github.com/urfave/cli/v2"
)

// input reads what was given as flag or variable; empty counts as not given.
type input struct{ ctx *cli.Context }

func (in input) text(name string) (string, bool) {
	v := strings.TrimSpace(in.ctx.String(name))
	return v, in.ctx.IsSet(name) && v != ""
}

func (in input) list(name string) ([]string, bool) {
	v := in.ctx.StringSlice(name)
	return v, in.ctx.IsSet(name) && len(v) > 0
}

// positive reads a whole number that is not negative.
func (in input) positive(name string) (int, bool, error) {
	if !in.ctx.IsSet(name) {
		return 0, false, nil
	}
	n := in.ctx.Int(name)
	if n < 0 {
		return 0, false, fmt.Errorf("--%s=%d: want a number that is not negative", name, n)
	}
	return n, true, nil
}

func (in input) duration(name string) (time.Duration, bool, error) {
	v, ok := in.text(name)
	if !ok {
		return 0, false, nil
	}
	d, err := time.ParseDuration(v)
	if err != nil || d < 0 {
		return 0, false, fmt.Errorf("--%s=%q: want a duration such as 500ms, 5s or 1m", name, v)
	}
	return d, true, nil
}

package cmd

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/rollcall-go/micro/internal/netaddr"
)

// input reads what was given as flag or variable; empty counts as not given.
type input struct{ ctx *cli.Context }

func (in input) text(name string) (string, bool) {
	v := strings.TrimSpace(in.ctx.String(name))
	return v, in.ctx.IsSet(name) && v != ""
}

func (in input) list(name string) ([]string, bool) {
	v := slices.DeleteFunc(in.ctx.StringSlice(name), func(s string) bool { return strings.TrimSpace(s) == "" })
	return v, in.ctx.IsSet(name) && len(v) > 0
}

// number reads a whole number that is not negative.
func (in input) number(name string) (int, bool, error) {
	v, ok := in.text(name)
	if !ok {
		return 0, false, nil
	}
	n, err := strconv.Atoi(v)
	if err != nil || n < 0 {
		return 0, false, fmt.Errorf("--%s=%q: want a whole number, 0 or more", name, v)
	}
	return n, true, nil
}

// address reads host:port; the port may be missing unless it is demanded.
func (in input) address(name string, port bool) (string, bool, error) {
	v, ok := in.text(name)
	if !ok {
		return "", false, nil
	}
	if err := netaddr.Check(v, port); err != nil {
		return "", false, fmt.Errorf("--%s=%q: %w", name, v, err)
	}
	return v, true, nil
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

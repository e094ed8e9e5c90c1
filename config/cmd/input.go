package cmd

import (
	"fmt"
	"math"
	"os"
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
	if v == "" {
		v = variable(name)
	}
	return v, v != ""
}

func (in input) list(name string) ([]string, bool) {
	blank := func(s string) bool { return strings.TrimSpace(s) == "" }
	v := slices.DeleteFunc(in.ctx.StringSlice(name), blank)
	if len(v) == 0 {
		v = slices.DeleteFunc(strings.Split(variable(name), ","), blank)
	}
	return v, len(v) > 0
}

// variable returns the variable of a flag: the parser does not look at it where
// the flag was given, even if empty.
func variable(name string) string {
	return strings.TrimSpace(os.Getenv("MICRO_" + strings.ToUpper(name)))
}

// number reads a whole number that is not negative and, as a number of seconds,
// still a time.Duration.
func (in input) number(name string) (int, bool, error) {
	v, ok := in.text(name)
	if !ok {
		return 0, false, nil
	}
	n, err := strconv.ParseUint(v, 10, 31)
	if err != nil {
		return 0, false, fmt.Errorf("--%s=%q: want a whole number from 0 to %d", name, v, math.MaxInt32)
	}
	return int(n), true, nil
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

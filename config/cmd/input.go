package cmd

import (
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/rollcall-go/micro/internal/netaddr"
	"github.com/rollcall-go/micro/internal/registryflags"
)

// input reads what was given as flag or variable; empty counts as not given. It
// keeps the first error, after which nothing that it returned is to be used.
type input struct {
	ctx *cli.Context
	// taken has the names of flags that the program gave another meaning: of ours of
	// that name only the variable is read.
	taken map[string]bool
	err   error
}

// given returns what was given for a flag or by its variable.
func (in *input) given(name string) string {
	if in.taken[name] {
		return os.Getenv(registryflags.Variable(name))
	}
	return registryflags.Given(in.ctx, name)
}

// fail keeps err, about what was given for the flag, if it is the first.
func (in *input) fail(name, value, format string, args ...any) {
	if in.err == nil {
		in.err = registryflags.Wrong(name, value, format, args...)
	}
}

func (in *input) text(name string) (string, bool) {
	v := strings.TrimSpace(in.given(name))
	in.checkQuotes(name, v)
	return v, v != ""
}

func (in *input) checkQuotes(name, value string) {
	if err := registryflags.CheckQuotes(name, value); err != nil && in.err == nil {
		in.err = err
	}
}

func (in *input) list(name string) ([]string, bool) {
	blank := func(s string) bool { return strings.TrimSpace(s) == "" }
	var v []string
	if !in.taken[name] {
		v = slices.DeleteFunc(in.ctx.StringSlice(name), blank)
	}
	if len(v) == 0 {
		v = slices.DeleteFunc(strings.Split(strings.TrimSpace(os.Getenv(registryflags.Variable(name))), ","), blank)
	}
	in.checkQuotes(name, strings.TrimSpace(strings.Join(v, ","))) // the parser has split what was in one pair of them
	for _, item := range v {
		in.checkQuotes(name, item)
	}
	return v, len(v) > 0
}

// number reads a whole number that is not negative and, as a number of seconds,
// still a time.Duration.
func (in *input) number(name string) (int, bool) {
	v, ok := in.text(name)
	if !ok {
		return 0, false
	}
	n, err := strconv.ParseUint(v, 10, 31)
	if err != nil {
		in.fail(name, v, "want a whole number from 0 to %d", math.MaxInt32)
	}
	return int(n), true
}

// numberOr reads what number does, or a word that stands for a number below zero.
func (in *input) numberOr(name, word string, stands int) (int, bool) {
	v, ok := in.text(name)
	if !ok || v == word {
		return stands, ok
	}
	n, err := strconv.ParseUint(v, 10, 31)
	if err != nil {
		in.fail(name, v, "want a whole number from 0 to %d, or %s", math.MaxInt32, word)
	}
	return int(n), true
}

// address reads host:port; the port may be missing unless it is demanded.
func (in *input) address(name string, port bool) (string, bool) {
	v, ok := in.text(name)
	if !ok {
		return "", false
	}
	if err := netaddr.Check(v, port); err != nil {
		in.fail(name, v, "%w", err)
	}
	return v, true
}

func (in *input) duration(name string) (time.Duration, bool) {
	v, ok := in.text(name)
	if !ok {
		return 0, false
	}
	d, err := time.ParseDuration(v)
	if err != nil || d < 0 {
		in.fail(name, v, "want a duration such as 500ms, 5s or 1m")
	}
	return d, true
}

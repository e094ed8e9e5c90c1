package cmd

import (
	"os"
	"strings"
	"sync"

	"github.com/urfave/cli/v2"

	"github.com/rollcall-go/micro/internal/registryflags"
	"github.com/rollcall-go/micro/logger"
)

// unserved is a setting of go-micro v2 behind which there is nothing in this release. It
// is accepted, so that deployments need not change, and told once.
type unserved struct {
	flag     string // empty: v2 has the variable alone
	variable string
	only     string // the one value that v2 takes notice of, empty if there are more
	why      string
}

// allUnserved returns those of all parts.
func allUnserved() []unserved {
	var all []unserved
	for _, p := range parts() {
		all = append(all, p.unserved...)
	}
	return all
}

// tolerate adds flags that are accepted and not shown.
func (c *command) tolerate() {
	flags := partFlags(true)
	for _, u := range allUnserved() {
		if u.flag != "" {
			flags = append(flags, &cli.StringFlag{Name: u.flag, Hidden: true})
		}
	}
	c.own = append(c.own, flags...)
	c.app.Flags = append(c.app.Flags, flags...)
}

// tellUnserved says which settings of v2 were given and have no effect.
func tellUnserved(in *input) {
	for _, u := range allUnserved() {
		switch {
		case u.flag != "" && !in.taken[u.flag] && strings.TrimSpace(in.ctx.String(u.flag)) != "":
			tellOnce("--"+u.flag, u.why)
		case u.only == "" && strings.TrimSpace(os.Getenv(u.variable)) != "", u.only != "" && strings.TrimSpace(os.Getenv(u.variable)) == u.only:
			tellOnce(u.variable, u.why)
		}
	}
}

// told has the settings that the process was told about: services that are made
// later read the same command line.
var told sync.Map

// tellOnce warns that a setting has no effect. It does not say the value, which may
// be a secret.
func tellOnce(setting, why string) {
	if _, before := told.LoadOrStore(setting, true); !before {
		logger.Warnf("Flags [cmd] %s has no effect: %s", setting, why)
	}
}

// source names the flag that was given, or else its variable.
func (in *input) source(name string) string {
	if !in.taken[name] && strings.TrimSpace(in.ctx.String(name)) != "" {
		return "--" + name
	}
	return registryflags.Variable(name)
}

package main

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/rollcall-go/micro/config/cmd"
	"github.com/rollcall-go/micro/internal/balance"
	"github.com/rollcall-go/micro/internal/defaults"
	"github.com/rollcall-go/micro/internal/pick"
	"github.com/rollcall-go/micro/internal/registryflags"
	"github.com/rollcall-go/micro/registry"
)

// setting is one setting of a call, with where it comes from.
type setting struct {
	Name   string `json:"name"`
	Value  string `json:"value"`
	Source string `json:"source"`
}

// clientFlags returns the flags of services that say how they call. Variables are read
// here and not by the parser, which does not tell the two apart.
func clientFlags() []cli.Flag {
	var flags []cli.Flag
	for _, f := range cmd.DefaultFlags {
		if t, ok := f.(*cli.StringFlag); ok && strings.HasPrefix(t.Name, "client_") {
			flags = append(flags, &cli.StringFlag{Name: t.Name, Usage: t.Usage, DefaultText: t.DefaultText, Category: "Client"})
		}
	}
	return flags
}

// settingsOf returns the settings of calls, as flags and variables have them.
func settingsOf(c *cli.Context) ([]setting, balance.Policy, error) {
	var all []setting
	var policy balance.Policy
	for _, f := range clientFlags() {
		f := f.(*cli.StringFlag)
		s := setting{Name: f.Name, Value: strings.TrimSpace(c.String(f.Name)), Source: "flag --" + f.Name}
		if variable := registryflags.Variable(f.Name); s.Value == "" {
			s.Value, s.Source = strings.TrimSpace(os.Getenv(variable)), "variable "+variable
		}
		if s.Value == "" {
			s.Value, s.Source = strings.TrimPrefix(f.DefaultText, "the program's own, or "), "default"
		} else if wrong := wrongClientSetting(&policy, s); wrong != "" {
			return nil, policy, usagef("invalid value %q for %q: %s", s.Value, dashed(f.Name), wrong)
		}
		if s.Value != "" { // else it has no effect
			all = append(all, s)
		}
	}
	size := func(bytes int) string { return fmt.Sprintf("%d bytes", bytes) }
	return append(all,
		setting{"largest request", size(defaults.MaxSendMsgSize), "default"},
		setting{"largest answer", size(defaults.MaxRecvMsgSize), "default"},
	), policy, nil
}

// wrongClientSetting puts a setting into the policy, if it belongs there, and returns
// what is wrong with it.
func wrongClientSetting(policy *balance.Policy, s setting) string {
	if s.Name == "client_balancer" {
		if _, ok := pick.BalancerOf(s.Value); !ok {
			return "want random, roundrobin or leastloaded"
		}
	}
	for _, known := range balance.Settings() {
		if known.Flag == s.Name && !known.Set(policy, s.Value) {
			return known.Wants
		}
	}
	return ""
}

// notThere reports whether err says that there is no such service.
func notThere(err error) bool { return errors.Is(err, registry.ErrNotFound) }

package main

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/rollcall-go/micro/client"
	"github.com/rollcall-go/micro/config/cmd"
	"github.com/rollcall-go/micro/internal/balance"
	"github.com/rollcall-go/micro/internal/callflags"
	"github.com/rollcall-go/micro/internal/defaults"
	"github.com/rollcall-go/micro/internal/pick"
	"github.com/rollcall-go/micro/internal/registryflags"
	"github.com/rollcall-go/micro/internal/secure"
	"github.com/rollcall-go/micro/registry"
)

// setting is one setting of a call, with where it comes from.
type setting struct {
	Name   string `json:"name"`
	Value  string `json:"value"`
	Source string `json:"source"`
}

// clientFlags returns the flags of services that say how they call. Variables are read
// here and not by the parser, which does not tell the two apart; the text names them.
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
func settingsOf(c *cli.Context) ([]setting, balance.Policy, secure.Client, error) {
	var all []setting
	var policy balance.Policy
	given, err := callflags.ReadClient(func(name string) string {
		return cmp.Or(c.String(name), os.Getenv(registryflags.Variable(name)))
	})
	if err == nil {
		err = given.Check(client.Options{})
	}
	tls := given.Over(secure.Client{})
	if err != nil {
		return nil, policy, tls, wrongSetting(err)
	}
	for _, f := range clientFlags() {
		f := f.(*cli.StringFlag)
		s := setting{Name: f.Name, Value: strings.TrimSpace(c.String(f.Name)), Source: "flag --" + f.Name}
		if variable := registryflags.Variable(f.Name); s.Value == "" {
			s.Value, s.Source = strings.TrimSpace(os.Getenv(variable)), "variable "+variable
		}
		if s.Value == "" {
			s.Value, s.Source = strings.TrimPrefix(f.DefaultText, "the program's own, or "), "default"
			if strings.HasPrefix(f.Name, "client_tls_") && !tls.Given() {
				continue // what would hold with TLS
			}
		} else if wrong := wrongClientSetting(&policy, s); wrong != "" {
			if from, ok := strings.CutPrefix(s.Source, "variable "); ok {
				wrong += " (given by " + from + ")"
			}
			return nil, policy, tls, usagef("invalid value %q for %q: %s", s.Value, dashed(f.Name), wrong)
		}
		if s.Value != "" { // else it has no effect
			all = append(all, s)
		}
	}
	if !tls.Given() {
		all = append(all, setting{"client_tls", "off: in plaintext", "default"})
	}
	size := func(bytes int) string { return fmt.Sprintf("%d bytes", bytes) }
	return append(all,
		setting{"largest request", size(defaults.MaxSendMsgSize), "default"},
		setting{"largest answer", size(defaults.MaxRecvMsgSize), "default"},
	), policy, tls, nil
}

// wrongClientSetting puts a setting into the policy, if it belongs there, and returns
// what is wrong with it.
func wrongClientSetting(policy *balance.Policy, s setting) string {
	wants := ""
	switch s.Name {
	case "client_balancer":
		if _, ok := pick.BalancerOf(s.Value); !ok {
			wants = "want random, roundrobin or leastloaded"
		}
	case "client_request_timeout", "client_pool_ttl":
		if d, err := time.ParseDuration(s.Value); err != nil || d < 0 {
			wants = "want a duration such as 500ms, 5s or 1m"
		}
	case "client_retries", "client_pool_size":
		if !whole(s.Value) {
			wants = "want a whole number from 0 to 2147483647"
		}
	case "client_retry_budget":
		if s.Value != "off" && !whole(s.Value) {
			wants = "want a whole number from 0 to 2147483647, or off"
		}
	}
	if wants != "" {
		return wants
	}
	for _, known := range balance.Settings() {
		if known.Flag == s.Name && !known.Set(policy, s.Value) {
			return known.Wants
		}
	}
	return ""
}

func whole(text string) bool {
	_, err := strconv.ParseUint(text, 10, 31)
	return err == nil
}

// notThere reports whether err says that there is no such service.
func notThere(err error) bool { return errors.Is(err, registry.ErrNotFound) }

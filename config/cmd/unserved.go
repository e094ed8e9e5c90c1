package cmd

import (
	"os"
	"strings"
	"sync"

	"github.com/urfave/cli/v2"

	"github.com/rollcall-go/micro/internal/registryflags"
	"github.com/rollcall-go/micro/logger"
)

// unserved are settings of go-micro v2 behind which there is nothing in this
// release. Each is accepted, so that deployments need not change, and told once.
var unserved = []struct {
	flag     string // empty: v2 has the variable alone
	variable string
	only     string // the one value that v2 takes notice of, empty if there are more
	why      string
}{
	{"store", "MICRO_STORE", "", noStore},
	{"store_address", "MICRO_STORE_ADDRESS", "", noStore},
	{"store_database", "MICRO_STORE_DATABASE", "", noStore},
	{"store_table", "MICRO_STORE_TABLE", "", noStore},
	{"auth", "MICRO_AUTH", "", noAuth},
	{"auth_id", "MICRO_AUTH_ID", "", noAuth},
	{"auth_secret", "MICRO_AUTH_SECRET", "", noAuth},
	{"auth_namespace", "MICRO_AUTH_NAMESPACE", "", noAuth},
	{"auth_public_key", "MICRO_AUTH_PUBLIC_KEY", "", noAuth},
	{"auth_private_key", "MICRO_AUTH_PRIVATE_KEY", "", noAuth},
	{"auth_provider", "MICRO_AUTH_PROVIDER", "", noAuth},
	{"auth_provider_client_id", "MICRO_AUTH_PROVIDER_CLIENT_ID", "", noAuth},
	{"auth_provider_client_secret", "MICRO_AUTH_PROVIDER_CLIENT_SECRET", "", noAuth},
	{"auth_provider_endpoint", "MICRO_AUTH_PROVIDER_ENDPOINT", "", noAuth},
	{"auth_provider_redirect", "MICRO_AUTH_PROVIDER_REDIRECT", "", noAuth},
	{"auth_provider_scope", "MICRO_AUTH_PROVIDER_SCOPE", "", noAuth},
	{"tracer", "MICRO_TRACER", "", "there is no tracer in this release"},
	{"tracer_address", "MICRO_TRACER_ADDRESS", "", "there is no tracer in this release"},
	{"profile", "MICRO_DEBUG_PROFILE", "", "there is no profiler in this release; package net/http/pprof has one"},
	// Its flag is too common a name to be accepted without a word.
	{"", "MICRO_CONFIG", "service", "there is no configuration service in this release; config/source/etcd reads etcd itself"},
	{"runtime", "MICRO_RUNTIME", "", "there is no runtime in this release"},
	{"runtime_source", "MICRO_RUNTIME_SOURCE", "", "there is no runtime in this release"},
	{"", "MICRO_PROXY", "", "calls go to the services themselves"},
	{"", "MICRO_NETWORK", "", "calls go to the services themselves"},
	{"", "MICRO_NETWORK_ADDRESS", "", "calls go to the services themselves"},
	{"", "MICRO_ROUTER", "", "calls go to the services themselves"},
	{"", "MICRO_ROUTER_ADDRESS", "", "calls go to the services themselves"},
	{"", "MICRO_PLUGIN", "", "there are no plugins; import the package instead"},
}

const (
	noStore = "a program chooses its store itself, by micro.Store"
	noAuth  = "nobody is asked for credentials, and nobody is refused: there is no auth in this release"
)

// tolerate adds flags that are accepted and not shown.
func (c *command) tolerate() {
	flags := partFlags()
	for _, u := range unserved {
		if u.flag != "" {
			flags = append(flags, &cli.StringFlag{Name: u.flag, Hidden: true})
		}
	}
	c.own = append(c.own, flags...)
	c.app.Flags = append(c.app.Flags, flags...)
}

// tellUnserved says which settings of v2 were given and have no effect.
func tellUnserved(in *input) {
	for _, u := range unserved {
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

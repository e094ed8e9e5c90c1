package cmd

import (
	"fmt"
	"maps"
	"net/netip"
	"os"
	"strings"
	"time"

	"github.com/rollcall-go/micro/client"
	"github.com/rollcall-go/micro/internal/ability"
	"github.com/rollcall-go/micro/internal/builtin"
	"github.com/rollcall-go/micro/internal/callflags"
	"github.com/rollcall-go/micro/internal/netaddr"
	"github.com/rollcall-go/micro/internal/registryflags"
	"github.com/rollcall-go/micro/registry"
	"github.com/rollcall-go/micro/server"
)

// given is all that the command line and the variables say, read and checked
// before any of it is applied.
type given struct {
	registries     []string                 // names; more than one are to be one registry
	settings       []registryflags.Settings // of each, or of the one in place if none was named
	server, client string                   // names of implementations; empty if none was named
	snapshot       string                   // directory; empty if none was given
	serverTLS      callflags.Server
	clientTLS      callflags.Client
	toServer       []server.Option
	toClient       []client.Option
}

// read reads the flags in the order in which --help shows them: if several are
// wrong, the error is about the first.
func read(in *input, to Options) (given, error) {
	var g given
	g.registries = registryChoice(in, to)
	if in.err == nil {
		g.settings, in.err = registryflags.ReadEach(in.given, g.registries)
	}
	g.snapshot, _ = in.text("registry_snapshot")
	g.server = choice(in, "server", nameOf(to.Server), builtin.Servers(), merged(DefaultServers, to.Servers))
	g.toServer = serverOptions(in)
	if in.err == nil {
		g.serverTLS, in.err = callflags.ReadServer(in.given)
	}
	g.client = choice(in, "client", nameOf(to.Client), builtin.Clients(), merged(DefaultClients, to.Clients))
	g.toClient = clientOptions(in)
	if in.err == nil {
		g.clientTLS, in.err = callflags.ReadClient(in.given)
	}
	return g, in.err
}

// registryInPlace returns where the registry is that the command line configures or
// replaces.
func registryInPlace(to Options) *registry.Registry {
	if to.Registry == nil {
		return &registry.DefaultRegistry
	}
	return to.Registry
}

// registryName returns the name of the registry in place, empty if there is only the
// place of one. If the one that is named is inside a wrapper, such as a cache, that is
// the name.
func registryName(to Options, named string) string {
	at := registryInPlace(to)
	if _, ok := (*at).(ability.Placeholder); ok {
		return ""
	}
	if ability.Named(*at, named) {
		return named
	}
	return nameOf(at)
}

// nameOf returns the name of what p points at, empty if that is nothing.
func nameOf[T fmt.Stringer](p *T) string {
	if p == nil || any(*p) == nil {
		return ""
	}
	return (*p).String()
}

// registryChoice reads the names of registries, or that of the one in place.
func registryChoice(in *input, to Options) []string {
	list, ok := in.text("registry")
	switch {
	case !ok:
		return nil
	case list == registryName(to, list):
		return []string{list}
	}
	names, err := builtin.ResolveRegistries(registries(to), list)
	if err != nil {
		in.fail("registry", list, "%w", err)
	}
	return names
}

// choice reads the name of an implementation, one of own, or that of what the
// program has in place.
func choice[C any](in *input, flag, present string, entries []builtin.Entry[C], own map[string]C) string {
	v, ok := in.text(flag)
	if !ok || v == present {
		return v
	}
	name, err := builtin.Resolve(flag, entries, own, v)
	if err != nil {
		in.fail(flag, v, "%w", err)
	}
	return name
}

func registries(to Options) map[string]func(...registry.Option) registry.Registry {
	return merged(DefaultRegistries, to.Registries)
}

// merged returns the constructors that can be chosen, those of the program first.
func merged[C any](defaults, own map[string]C) map[string]C {
	all := maps.Clone(defaults)
	if all == nil {
		all = map[string]C{}
	}
	maps.Copy(all, own)
	return all
}

func serverOptions(in *input) []server.Option {
	var opts []server.Option
	if v, ok := in.text("server_name"); ok {
		opts = append(opts, server.Name(v))
	}
	if v, ok := in.text("server_version"); ok {
		opts = append(opts, server.Version(v))
	}
	if v, ok := in.text("server_id"); ok {
		opts = append(opts, server.Id(v))
	}
	if v, ok := in.address("server_address", true); ok {
		opts = append(opts, server.Address(v))
	}
	if v, ok := in.address("server_advertise", false); ok {
		opts = append(opts, server.Advertise(v))
	}
	if v, ok := in.text("server_advertise_interface"); ok {
		opts = append(opts, server.AdvertiseInterface(v))
	}
	if v, ok := in.text("server_advertise_cidr"); ok {
		if _, err := netaddr.ParseCIDR(v); err != nil {
			in.fail("server_advertise_cidr", v, "want an address and a length, such as 10.0.0.0/8")
		}
		opts = append(opts, server.AdvertiseCIDR(v))
	}
	if pairs, ok := in.list("server_metadata"); ok {
		md := make(map[string]string, len(pairs))
		for _, p := range pairs {
			k, v, _ := strings.Cut(p, "=")
			if k == "" {
				in.fail("server_metadata", p, "want key=value")
			}
			md[k] = v
		}
		opts = append(opts, server.Metadata(md))
	}
	if n, ok := in.numberOr("server_concurrency_limit", "adaptive", server.AdaptiveLimit); ok {
		opts = append(opts, server.ConcurrencyLimit(n))
	}
	if n, ok := in.number("register_ttl"); ok {
		opts = append(opts, server.RegisterTTL(time.Duration(n)*time.Second))
	}
	if n, ok := in.number("register_interval"); ok {
		opts = append(opts, server.RegisterInterval(time.Duration(n)*time.Second))
	}
	return opts
}

func clientOptions(in *input) []client.Option {
	var opts []client.Option
	if d, ok := in.duration("client_request_timeout"); ok {
		opts = append(opts, client.RequestTimeout(d))
	}
	if n, ok := in.number("client_retries"); ok {
		opts = append(opts, client.Retries(n))
	}
	if n, ok := in.numberOr("client_retry_budget", "off", -1); ok {
		opts = append(opts, client.RetryBudget(n))
	}
	if n, ok := in.number("client_pool_size"); ok {
		opts = append(opts, client.PoolSize(n))
	}
	if d, ok := in.duration("client_pool_ttl"); ok {
		opts = append(opts, client.PoolTTL(d))
	}
	if o := balanceOptions(in); len(o) > 0 {
		opts = append(opts, client.SelectorOptions(o...))
	}
	return opts
}

// podVariable holds the address of the pod where a deployment on Kubernetes hands
// it to its containers.
const podVariable = "POD_IP"

// podOption returns the option to register the pod's address, if it is known and
// nobody said, in code or given options, what else to listen on or to register.
func podOption(o server.Options, given []server.Option) []server.Option {
	for _, opt := range given {
		opt(&o)
	}
	ip, err := netip.ParseAddr(strings.TrimSpace(os.Getenv(podVariable)))
	if err != nil || o.Advertise != "" || o.AdvertiseInterface != "" || o.AdvertiseCIDR != "" || !netaddr.Wildcard(o.Address) {
		return nil
	}
	return []server.Option{server.Advertise(ip.String())}
}

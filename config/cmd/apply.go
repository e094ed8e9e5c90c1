package cmd

import (
	"fmt"
	"maps"
	"net/netip"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/rollcall-go/micro/client"
	"github.com/rollcall-go/micro/internal/ability"
	"github.com/rollcall-go/micro/internal/netaddr"
	"github.com/rollcall-go/micro/registry"
	"github.com/rollcall-go/micro/server"
)

// before applies what was given on the command line or in the environment to
// the values that the options point at. The parser calls it before any action.
func (c *command) before(ctx *cli.Context) error {
	if c.version != nil && c.version.Get(ctx) {
		cli.ShowVersion(ctx)
		return errShown
	}
	in, to := input{ctx}, c.Options()
	if err := choose(in, to); err != nil {
		return err
	}
	if err := locate(in, to); err != nil {
		return err
	}
	toServer, err := serverOptions(in)
	if err != nil {
		return err
	}
	toClient, err := clientOptions(in)
	if err != nil {
		return err
	}
	if to.Server != nil {
		toServer = append(toServer, podOption((*to.Server).Options(), toServer)...)
	}
	if to.Server != nil && len(toServer) > 0 {
		if err := (*to.Server).Init(toServer...); err != nil {
			return fmt.Errorf("set up the server: %w", err)
		}
	}
	if to.Client != nil && len(toClient) > 0 {
		if err := (*to.Client).Init(toClient...); err != nil {
			return fmt.Errorf("set up the client: %w", err)
		}
	}
	return nil
}

// choose replaces the client and the server by those that were named.
func choose(in input, to Options) error {
	if name, ok := in.text("client"); ok {
		make, err := find("client", name, to.Clients, DefaultClients)
		if err != nil {
			return err
		}
		if p := to.Client; p != nil && (*p).String() != name {
			*p = make()
		}
	}
	if name, ok := in.text("server"); ok {
		make, err := find("server", name, to.Servers, DefaultServers)
		if err != nil {
			return err
		}
		if p := to.Server; p != nil && (*p).String() != name {
			*p = make()
		}
	}
	return nil
}

// locate sees to it that the registry is the one that was named, with the
// addresses and the directory that were given, and that everybody uses it.
func locate(in input, to Options) error {
	name, named := in.text("registry")
	list, addressed := in.text("registry_address")
	snapshot, kept := in.text("registry_snapshot")
	if !named && !addressed && !kept {
		return nil
	}
	var opts []registry.Option
	if kept {
		opts = append(opts, registry.Snapshot(snapshot))
	}
	if addressed {
		addrs := strings.Split(list, ",")
		for i := range addrs {
			addrs[i] = strings.TrimSpace(addrs[i])
		}
		opts = append(opts, registry.Addrs(addrs...))
	}
	at := to.Registry
	if at == nil {
		at = &registry.DefaultRegistry
	}
	switch {
	case named && (*at).String() != name:
		make, err := find("registry", name, to.Registries, DefaultRegistries)
		if err != nil {
			return err
		}
		*at = make(opts...)
	case addressed:
		if err := (*at).Init(opts...); err != nil {
			return fmt.Errorf("set --registry_address=%q: %w", list, err)
		}
	case kept:
		if err := (*at).Init(opts...); err != nil {
			return fmt.Errorf("set --registry_snapshot=%q: %w", snapshot, err)
		}
	}
	if err := ability.Check(*at); err != nil {
		return err
	}
	if to.Server != nil {
		if err := (*to.Server).Init(server.Registry(*at)); err != nil {
			return fmt.Errorf("give the server its registry: %w", err)
		}
	}
	if to.Client != nil {
		if err := (*to.Client).Init(client.Registry(*at)); err != nil {
			return fmt.Errorf("give the client its registry: %w", err)
		}
	}
	return nil
}

func serverOptions(in input) ([]server.Option, error) {
	var opts []server.Option
	for name, option := range map[string]func(string) server.Option{
		"server_name": server.Name, "server_version": server.Version, "server_id": server.Id,
	} {
		if v, ok := in.text(name); ok {
			opts = append(opts, option(v))
		}
	}
	if v, ok, err := in.address("server_address", true); err != nil {
		return nil, err
	} else if ok {
		opts = append(opts, server.Address(v))
	}
	if v, ok, err := in.address("server_advertise", false); err != nil {
		return nil, err
	} else if ok {
		opts = append(opts, server.Advertise(v))
	}
	if v, ok := in.text("server_advertise_interface"); ok {
		opts = append(opts, server.AdvertiseInterface(v))
	}
	if v, ok := in.text("server_advertise_cidr"); ok {
		if _, err := netaddr.ParseCIDR(v); err != nil {
			return nil, fmt.Errorf("--server_advertise_cidr=%q: want an address and a length, such as 10.0.0.0/8", v)
		}
		opts = append(opts, server.AdvertiseCIDR(v))
	}
	if pairs, ok := in.list("server_metadata"); ok {
		md := make(map[string]string, len(pairs))
		for _, p := range pairs {
			k, v, _ := strings.Cut(p, "=")
			if k == "" {
				return nil, fmt.Errorf("--server_metadata=%q: want key=value", p)
			}
			md[k] = v
		}
		opts = append(opts, server.Metadata(md))
	}
	for name, option := range map[string]func(time.Duration) server.Option{
		"register_ttl": server.RegisterTTL, "register_interval": server.RegisterInterval,
	} {
		n, ok, err := in.number(name)
		if err != nil {
			return nil, err
		}
		if ok {
			opts = append(opts, option(time.Duration(n)*time.Second))
		}
	}
	return opts, nil
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

func clientOptions(in input) ([]client.Option, error) {
	var opts []client.Option
	for name, option := range map[string]func(time.Duration) client.Option{
		"client_request_timeout": client.RequestTimeout, "client_pool_ttl": client.PoolTTL,
	} {
		d, ok, err := in.duration(name)
		if err != nil {
			return nil, err
		}
		if ok {
			opts = append(opts, option(d))
		}
	}
	for name, option := range map[string]func(int) client.Option{
		"client_retries": client.Retries, "client_pool_size": client.PoolSize,
	} {
		n, ok, err := in.number(name)
		if err != nil {
			return nil, err
		}
		if ok {
			opts = append(opts, option(n))
		}
	}
	return opts, nil
}

// find returns the constructor of the given name, or an error that lists the
// names there are.
func find[T any](kind, name string, own, defaults map[string]T) (T, error) {
	if v, ok := own[name]; ok {
		return v, nil
	}
	if v, ok := defaults[name]; ok {
		return v, nil
	}
	choices := slices.Sorted(maps.Keys(own))
	choices = append(choices, slices.Sorted(maps.Keys(defaults))...)
	slices.Sort(choices)
	var zero T
	return zero, fmt.Errorf("--%s=%q: unknown %s; choose one of: %s", kind, name, kind, strings.Join(slices.Compact(choices), ", "))
}

// Package dns is a selector that finds nodes by DNS: a name host:port by its addresses, any
// other by its SRV records.
package dns

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync"

	"github.com/rollcall-go/micro/client/selector"
	"github.com/rollcall-go/micro/internal/defaults"
	"github.com/rollcall-go/micro/registry"
)

// DefaultDomain is where the SRV records of services are: those of greeter under
// _greeter._tcp.local. It belongs to the program; set it before a selector is made.
var DefaultDomain = "local"

// NewSelector returns a selector that asks DNS for each call, which waits for it for as long as
// defaults allow a registry. Caching is the resolver's. The strategy is Random unless an option
// says otherwise; weights and priorities of SRV records are not obeyed, as in v2.
func NewSelector(opts ...selector.Option) selector.Selector {
	s := &dns{domain: DefaultDomain, resolve: net.DefaultResolver, opts: selector.Options{Strategy: selector.Random}}
	_ = s.Init(opts...) // cannot fail
	return s
}

// resolver is what a selector asks; net.Resolver is one.
type resolver interface {
	LookupSRV(ctx context.Context, service, proto, name string) (string, []*net.SRV, error)
	LookupHost(ctx context.Context, host string) ([]string, error)
}

type dns struct {
	domain  string
	resolve resolver

	mu   sync.Mutex // guards opts
	opts selector.Options
}

var _ selector.Selector = (*dns)(nil)

func (s *dns) Init(opts ...selector.Option) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, o := range opts {
		o(&s.opts)
	}
	return nil
}

func (s *dns) Options() selector.Options {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.opts
}

// addresses returns where the nodes of a service are, host:port each.
func (s *dns) addresses(service string) (all []string, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), defaults.RegistryTimeout)
	defer cancel()
	if host, port, err := net.SplitHostPort(service); err == nil {
		ips, err := s.resolve.LookupHost(ctx, host)
		if err != nil {
			return nil, err
		}
		for _, ip := range ips {
			all = append(all, net.JoinHostPort(ip, port))
		}
		return all, nil
	}
	_, records, err := s.resolve.LookupSRV(ctx, service, "tcp", s.domain)
	for _, r := range records {
		all = append(all, net.JoinHostPort(strings.TrimSuffix(r.Target, "."), strconv.Itoa(int(r.Port))))
	}
	return all, err
}

func (s *dns) Select(service string, opts ...selector.SelectOption) (selector.Next, error) {
	so := selector.SelectOptions{Strategy: s.Options().Strategy}
	for _, o := range opts {
		o(&so)
	}
	addresses, err := s.addresses(service)
	if err != nil {
		return nil, fmt.Errorf("look up %q in DNS: %w: %w", service, selector.ErrNotFound, err)
	}
	found := &registry.Service{Name: service}
	for _, a := range addresses {
		found.Nodes = append(found.Nodes, &registry.Node{Id: a, Address: a})
	}
	services := []*registry.Service{found}
	for _, filter := range so.Filters {
		services = filter(services)
	}
	if len(services) == 0 {
		return nil, selector.ErrNoneAvailable
	}
	if so.Strategy == nil {
		so.Strategy = selector.Random
	}
	return so.Strategy(services), nil
}

func (s *dns) Mark(string, *registry.Node, error) {}
func (s *dns) Reset(string)                       {}
func (s *dns) Close() error                       { return nil }
func (s *dns) String() string                     { return "dns" }

package registry_test

import (
	"testing"

	util "github.com/rollcall-go/micro/compat/util/registry"
	"github.com/rollcall-go/micro/registry"
)

func service(version string, nodes ...string) *registry.Service {
	s := &registry.Service{Name: "shop", Version: version}
	for _, n := range nodes {
		s.Nodes = append(s.Nodes, &registry.Node{Id: n, Address: version + n})
	}
	return s
}

// text writes versions and the addresses of their nodes.
func text(services []*registry.Service) string {
	all := ""
	for _, s := range services {
		all += s.Version + "("
		for _, n := range s.Nodes {
			all += n.Id + "=" + n.Address + " "
		}
		all += ")"
	}
	return all
}

func TestMergeAndRemove(t *testing.T) {
	old := []*registry.Service{service("1", "a", "b"), service("2", "c")}
	changed := service("1", "b", "d")
	changed.Nodes[0].Address = "new"
	merged := util.Merge(old, []*registry.Service{changed, service("3", "e")})
	if got := text(merged); got != "1(b=new d=1d a=1a )2(c=2c )3(e=3e )" {
		t.Errorf("merged: %s", got)
	}
	if got := text(util.Merge(nil, old)) + text(util.Merge(old, nil)); got != text(old)+text(old) {
		t.Errorf("merged with nothing: %s", got)
	}
	if got := text(util.Remove(merged, []*registry.Service{service("1", "a", "d"), service("2", "c"), service("4", "b")})); got != "1(b=new )3(e=3e )" {
		t.Errorf("left: %s", got)
	}
	if got := text(old); got != "1(a=1a b=1b )2(c=2c )" {
		t.Errorf("what was given has changed: %s", got)
	}
}

func TestCopiesShareNothing(t *testing.T) {
	s := service("1", "a")
	s.Endpoints = []*registry.Endpoint{{Name: "Shop.Buy"}}
	for _, c := range []*registry.Service{util.CopyService(s), util.Copy([]*registry.Service{s})[0]} {
		c.Nodes[0].Address, c.Endpoints[0].Name = "changed", "changed"
	}
	if s.Nodes[0].Address != "1a" || s.Endpoints[0].Name != "Shop.Buy" {
		t.Errorf("the service has changed: %+v", s)
	}
}

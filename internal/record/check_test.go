package record

import (
	"fmt"
	"strings"
	"testing"

	"github.com/rollcall-go/micro/registry"
)

// unfitNames are refused for services and nodes alike.
var unfitNames = []string{
	"x\r", "a\nb", "\x1b]0;pwned\a", "a\x00", "a\x7f", "a\u009b", "a\u202eb", "a\u2028b", "a\u200b",
	" a", "a ", "\ta", "a\u00a0", "\u3000a",
}

func TestCheck(t *testing.T) {
	node := &registry.Node{Id: "n"}
	for name, s := range map[string]*registry.Service{
		"nil":        nil,
		"no nodes":   {Name: "s"},
		"nil node":   {Name: "s", Nodes: []*registry.Node{nil}},
		"empty id":   {Name: "s", Nodes: []*registry.Node{{}}},
		"id ..":      {Name: "s", Nodes: []*registry.Node{{Id: ".."}}},
		"twice":      {Name: "s", Nodes: []*registry.Node{node, {Id: "n"}}},
		"empty name": {Nodes: []*registry.Node{node}},
		"name .":     {Name: ".", Nodes: []*registry.Node{node}},
		"name ..":    {Name: "..", Nodes: []*registry.Node{node}},
		"name /":     {Name: "/", Nodes: []*registry.Node{node}},
		"name /../":  {Name: "/../", Nodes: []*registry.Node{node}},
		"not UTF-8":  {Name: "\xff", Nodes: []*registry.Node{node}},
	} {
		if err := Check(s); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	for _, bad := range unfitNames {
		for what, s := range map[string]*registry.Service{
			"name":    {Name: bad, Nodes: []*registry.Node{node}},
			"node id": {Name: "s", Nodes: []*registry.Node{{Id: bad}}},
		} {
			if err := Check(s); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("%q", bad)) {
				t.Errorf("%s %q: got error %v, want one that quotes it", what, bad, err)
			}
		}
	}
	if err := Check(&registry.Service{Name: "s", Version: "1\n2", Nodes: []*registry.Node{node}}); err == nil || !strings.Contains(err.Error(), `"1\n2"`) {
		t.Errorf("a version with a line feed: %v", err)
	}
	for _, name := range []string{"s", "a/b", "服务", "go.micro.service.greeter", "...", "a b"} {
		if err := Check(&registry.Service{Name: name, Nodes: []*registry.Node{node}}); err != nil {
			t.Errorf("%q: %v", name, err)
		}
	}
}

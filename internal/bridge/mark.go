package bridge

import (
	"maps"
	"slices"
	"strings"

	"github.com/rollcall-go/micro/internal/record"
	"github.com/rollcall-go/micro/registry"
)

// Mark is the key of a node's metadata that says that the record is a mirrored one.
const Mark = record.Mirrored

const (
	separator = ","
	// mostHops is how many registries a record is carried through. It bounds what a
	// ring of bridges costs that call one registry by several names.
	mostHops = 8
)

// pathOf returns the registries that a record has come through, none for one that
// its service has registered.
func pathOf(n *registry.Node) []string {
	mark := n.Metadata[Mark]
	if mark == "" {
		return nil
	}
	return strings.Split(mark, separator)
}

// marked returns a copy of the record, with its one node, as it is mirrored, nil if
// it must not be: it has been in one of the two registries before.
func marked(one *registry.Service, from, to string) *registry.Service {
	path := pathOf(one.Nodes[0])
	if slices.Contains(path, to) || slices.Contains(path, from) || len(path) >= mostHops {
		return nil
	}
	c, n := *one, *one.Nodes[0]
	n.Metadata = maps.Clone(n.Metadata)
	if n.Metadata == nil {
		n.Metadata = make(map[string]string, 1)
	}
	n.Metadata[Mark] = strings.Join(append(path, from), separator)
	c.Nodes = []*registry.Node{&n}
	return &c
}

func idOf(one *registry.Service) record.ID {
	return record.ID{Service: one.Name, Node: one.Nodes[0].Id}
}

// wants reports whether a service is one of those that are asked for.
func wants(patterns []string, name string) bool {
	return len(patterns) == 0 || slices.ContainsFunc(patterns, func(p string) bool {
		if prefix, ok := strings.CutSuffix(p, "*"); ok {
			return strings.HasPrefix(name, prefix)
		}
		return p == name
	})
}

// followed returns the names that have to be followed for the patterns: all of them,
// or "" for everything.
func followed(patterns []string) []string {
	if len(patterns) == 0 || slices.ContainsFunc(patterns, func(p string) bool { return strings.HasSuffix(p, "*") }) {
		return []string{""}
	}
	names := slices.Clone(patterns)
	slices.Sort(names)
	return slices.Compact(names)
}

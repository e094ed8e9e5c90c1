package lint

import (
	"maps"
	"slices"
	"strings"

	"github.com/rollcall-go/micro/internal/keytree"
	"github.com/rollcall-go/micro/internal/tree"
)

// layer is one that keys belong to, by its names. "" is everybody.
type layer struct{ service, environment string }

// has reports whether somebody who reads the layer l may read what is in the layer o.
func (l layer) has(o layer) bool {
	return (l.service == "" || o.service == "" || l.service == o.service) &&
		(l.environment == "" || o.environment == "" || l.environment == o.environment)
}

// reads reports whether one who belongs to l reads what is in the layer o.
func (l layer) reads(o layer) bool {
	return (o.service == "" || o.service == l.service) && (o.environment == "" || o.environment == l.environment)
}

// rank orders layers: the later wins.
func (l layer) rank() int {
	n := 0
	if l.environment != "" {
		n = 2
	}
	if l.service != "" {
		n++
	}
	return n
}

// locate splits a key into its layer and the path in it. It reports false for a key that
// nobody reads.
func locate(key string) (layer, []string, bool) {
	var path []string
	if key != "" {
		path = strings.Split(key, "/")
	}
	of, rest := keytree.LayerOf(path)
	var l layer
	for _, name := range []struct{ from, to *string }{{of.Service, &l.service}, {of.Environment, &l.environment}} {
		if name.from == nil {
			continue
		}
		if *name.to = *name.from; *name.to == "" {
			return l, rest, false
		}
	}
	return l, rest, true
}

// PathOf returns where programs read a key, or what a schema with it judges. It reports
// false for a key that nobody reads.
func PathOf(key string) (path string, ok bool) {
	_, parts, ok := locate(key)
	return join(parts), ok
}

// overlap reports whether one path lies at or below the other.
func overlap(a, b []string) bool {
	n := min(len(a), len(b))
	return slices.Equal(a[:n], b[:n])
}

// spot is a key with its value.
type spot struct {
	key  string
	of   layer
	path []string
	text string

	read  bool
	value any // decoded, nil if it cannot be read
}

// spots are keys in their order: one comes before those below it.
type spots []*spot

func newSpots(values map[string]string) spots {
	all := make(spots, 0, len(values))
	for _, key := range slices.Sorted(maps.Keys(values)) {
		if of, path, ok := locate(key); ok {
			all = append(all, &spot{key: key, of: of, path: path, text: values[key]})
		}
	}
	return all
}

// at returns those that have a say about a path for readers of a layer, decoded, the
// weakest layer first.
func (s spots) at(of layer, path []string) spots {
	var all spots
	for _, one := range s {
		if !of.has(one.of) || !overlap(path, one.path) {
			continue
		}
		if !one.read {
			one.read, one.value = true, decode(one.text)
		}
		if one.value != nil {
			all = append(all, one)
		}
	}
	slices.SortStableFunc(all, func(a, b *spot) int { return a.of.rank() - b.of.rank() })
	return all
}

// document is what somebody reads.
func document(all spots, who layer) map[string]any {
	trees := make([]map[string]any, 4)
	for _, one := range all {
		if !who.reads(one.of) {
			continue
		}
		rank := one.of.rank()
		if trees[rank] == nil {
			trees[rank] = make(map[string]any)
		}
		tree.Put(trees[rank], one.value, one.path...)
	}
	doc := make(map[string]any)
	for _, one := range trees {
		doc = tree.Merge(doc, one)
	}
	return doc
}

// giver returns the key that gives the value at a path, or else what it would lie in, ""
// if none does.
func giver(all spots, who layer, path []string) string {
	for n := len(path); n >= 0; n-- {
		for _, one := range slices.Backward(all) {
			if who.reads(one.of) && len(one.path) <= n && overlap(one.path, path) && below(one.value, path[len(one.path):n]) != nil {
				return one.key
			}
		}
	}
	return ""
}

// reader is somebody who reads.
type reader struct {
	layer
	more bool // there may be more layers
}

// readers returns those who read something else than others, whose readers have the
// layer of: those with the fewest layers first.
func readers(of layer, all spots) []reader {
	there := make(map[layer]bool)
	for _, one := range all {
		l := one.of
		if of.service != "" {
			l.service = of.service
		}
		if of.environment != "" {
			l.environment = of.environment
		}
		there[l] = true
	}
	if len(there) == 0 {
		return nil
	}
	there[of] = true
	whole := maps.Clone(there)
	for s := range there {
		for e := range there {
			if s.environment == of.environment && e.service == of.service {
				whole[layer{s.service, e.environment}] = true
			}
		}
	}
	var found []reader
	for l := range whole {
		more := false
		for other := range whole {
			more = more || other != l && other.reads(l)
		}
		found = append(found, reader{l, more})
	}
	slices.SortFunc(found, func(a, b reader) int {
		if n := a.rank() - b.rank(); n != 0 {
			return n
		}
		return strings.Compare(a.environment+"/"+a.service, b.environment+"/"+b.service)
	})
	return found
}

package keytree

import (
	"cmp"
	"maps"
	"reflect"
	"slices"
)

// Giver is a key, of the store or in a gray, that says something of a path.
type Giver struct {
	Key      string // of the store
	Gray     string // the key of the gray that it stands in, "" if it stands in none
	Revision int64
	Layer    Layer
	// Value is what it has at the path, or all of it if the key lies below the path. It is
	// nil where a gray takes the key away.
	Value any
	// Reads says that it is read by whoever reads: not so in a gray for others.
	Reads bool
	// Counts says that without it there would be another value at the path.
	Counts bool

	layer, depth int
}

// Explain returns the value at a path, nil if there is none, and the keys that say
// something of it: what lies over others first, and what is in grays for others last.
func (v *View) Explain(path []string) (value any, all []Giver) {
	inForce := v.inForce()
	value = at(v.tree(inForce), path)
	add := func(key string, e *entry, reads bool) {
		if !e.valid && e.gray == "" || !covers(e.path, path) && !covers(path, e.path) || e.valid && covers(e.path, path) && !e.gives(path) {
			return
		}
		g := Giver{Key: key, Gray: e.gray, Revision: e.revision, Layer: v.keys.Layers.named(e.layer), Reads: reads, layer: e.layer, depth: len(e.path)}
		if g.Value = e.value; covers(e.path, path) {
			g.Value = at(e.value, path[len(e.path):])
		}
		if inForce[key] == e {
			without := maps.Clone(inForce)
			delete(without, key)
			if under := v.entries[key]; under != nil && under != e {
				without[key] = under // what the gray lies over
			}
			g.Counts = !reflect.DeepEqual(value, at(v.tree(without), path))
		}
		all = append(all, g)
	}
	for key, e := range v.entries {
		add(key, e, true)
	}
	for _, gray := range v.grays {
		for key, e := range gray.entries {
			add(key, e, gray.on)
		}
	}
	over := func(g Giver) int { // the higher lies over the lower
		if !g.Reads {
			return 0
		}
		return 1
	}
	slices.SortFunc(all, func(a, b Giver) int {
		return cmp.Or(cmp.Compare(over(b), over(a)), cmp.Compare(b.layer, a.layer), cmp.Compare(b.depth, a.depth), cmp.Compare(a.Key, b.Key), cmp.Compare(b.Gray, a.Gray))
	})
	return value, all
}

// covers reports whether path is at or below the path above.
func covers(above, path []string) bool {
	return len(path) >= len(above) && slices.Equal(above, path[:len(above)])
}

// at returns what value has at a path.
func at(value any, path []string) any {
	for _, part := range path {
		fields, _ := value.(map[string]any)
		value = fields[part]
	}
	return value
}

// Prefixes returns what the keys of each layer that there is for this service and
// environment begin with behind the prefix, the one for everybody first.
func (l *Layers) Prefixes() []string {
	all := []string{""}
	if l.service != "" {
		all = append(all, ofService+"/"+l.service+"/")
	}
	if l.environment == "" {
		return all
	}
	environment := ofEnvironment + "/" + l.environment + "/"
	if all = append(all, environment); l.service != "" {
		all = append(all, environment+ofService+"/"+l.service+"/")
	}
	return all
}

// named returns the layer of a number.
func (l *Layers) named(layer int) (of Layer) {
	if l == nil {
		return of
	}
	if layer%2 == 1 {
		of.Service = &l.service
	}
	if layer >= 2 {
		of.Environment = &l.environment
	}
	return of
}

// Package keytree makes a configuration of the keys of a store that spell paths, with
// a value each.
package keytree

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/rollcall-go/micro/internal/tree"
)

// maxDepth is how many levels the path of a key and its value may have together.
const maxDepth = 2000

// Keys says which keys are the configuration, and the path of each.
type Keys struct {
	// Namespace stands before every key, with a "/" before it unless it is empty. It is no
	// part of a path.
	Namespace string
	// Prefix stands before every key, behind Namespace. Where it ends, a part of the
	// key does.
	Prefix string
	// Strip leaves Prefix out of the paths.
	Strip bool
	// Layers, if not nil, tells layers apart. Prefix is left out then.
	Layers *Layers
}

// Layers names who the configuration is for.
type Layers struct{ service, environment string }

// NewLayers returns the layers of a service in an environment. A "/" in a name is a "-"
// in its keys; an empty name has no layers.
func NewLayers(service, environment string) *Layers {
	return &Layers{segment(service), segment(environment)}
}

// Names returns the service and the environment, as keys spell them.
func (l Layers) Names() (service, environment string) { return l.service, l.environment }

func segment(name string) string { return strings.ReplaceAll(name, "/", "-") }

// All is what every key begins with.
func (k Keys) All() string { return k.Namespace + k.Prefix }

// Has reports whether a key is part of the configuration.
func (k Keys) Has(key string) bool {
	_, ok := k.place(key)
	return ok
}

// place is where a key belongs.
type place struct {
	layer int
	path  []string
}

// The first parts of keys that belong to one layer.
const (
	ofService     = "_service"
	ofEnvironment = "_environment"
	layerCount    = 4
)

// place returns where a key belongs. It reports false for one that is no part of this
// configuration.
func (k Keys) place(key string) (place, bool) {
	all := k.All()
	rest, ok := strings.CutPrefix(key, all)
	if !ok || rest != "" && rest[0] != '/' && all != "" && !strings.HasSuffix(all, "/") {
		return place{}, false
	}
	if !k.Strip && k.Layers == nil {
		rest = strings.TrimPrefix(key, k.Namespace)
	}
	var path []string
	if rest = strings.TrimPrefix(rest, "/"); rest != "" {
		path = strings.Split(rest, "/")
	}
	if k.Layers == nil {
		return place{path: path}, true
	}
	return k.Layers.place(path)
}

func (l Layers) place(path []string) (place, bool) {
	of, path := LayerOf(path)
	if of.Environment != nil && (*of.Environment != l.environment || l.environment == "") ||
		of.Service != nil && (*of.Service != l.service || l.service == "") {
		return place{}, false
	}
	layer := 0
	if of.Environment != nil {
		layer = 2
	}
	if of.Service != nil {
		layer++
	}
	return place{layer, path}, true
}

// Layer names the one that a key belongs to: each is nil if it is for all of them.
type Layer struct{ Service, Environment *string }

// LayerPrefixes returns what the keys of layers begin with, behind the prefix.
func LayerPrefixes() []string { return []string{ofEnvironment + "/", ofService + "/"} }

// LayerOf splits the path that a key spells behind the prefix: into its layer, and the
// path of the value there.
func LayerOf(path []string) (of Layer, rest []string) {
	if len(path) > 1 && path[0] == ofEnvironment {
		of.Environment, path = &path[1], path[2:]
	}
	if len(path) > 1 && path[0] == ofService {
		of.Service, path = &path[1], path[2:]
	}
	return of, path
}

// check returns what is wrong with a value at a path.
func check(path []string, v any) error {
	if len(path) == 0 {
		if _, ok := v.(map[string]any); !ok {
			return errors.New("the key is the prefix itself, whose value has to be an object")
		}
	}
	for _, part := range path {
		if !utf8.ValidString(part) {
			return errors.New("the key is not UTF-8")
		}
	}
	if len(path)+depth(v) > maxDepth {
		return fmt.Errorf("key and value have more than %d levels", maxDepth)
	}
	return nil
}

func depth(v any) int {
	deepest := 0
	switch v := v.(type) {
	case map[string]any:
		for _, field := range v {
			deepest = max(deepest, depth(field))
		}
	case []any:
		for _, one := range v {
			deepest = max(deepest, depth(one))
		}
	default:
		return 0
	}
	return deepest + 1
}

// document lays the layers over one another, and changes them.
func document(trees [layerCount]map[string]any) map[string]any {
	var doc map[string]any
	for _, one := range trees {
		if doc == nil {
			doc = one
		} else {
			doc = tree.Merge(doc, one)
		}
	}
	if doc == nil {
		doc = make(map[string]any)
	}
	return doc
}

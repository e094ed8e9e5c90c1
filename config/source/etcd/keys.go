package etcd

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/rollcall-go/micro/internal/tree"
)

// maxDepth is how many levels the path of a key and its value may have together.
const maxDepth = 2000

// keys says which keys are the configuration, and the path of each.
type keys struct {
	namespace string // with the "/" before it, or empty
	prefix    string
	strip     bool
	layers    *layers // nil: there is one layer
}

// layers names who the configuration is for.
type layers struct{ service, environment string }

func segment(name string) string { return strings.ReplaceAll(name, "/", "-") }

// all is what every key begins with.
func (k keys) all() string { return k.namespace + k.prefix }

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
func (k keys) place(key string) (place, bool) {
	all := k.all()
	rest, ok := strings.CutPrefix(key, all)
	if !ok || rest != "" && rest[0] != '/' && all != "" && !strings.HasSuffix(all, "/") {
		return place{}, false
	}
	if !k.strip && k.layers == nil {
		rest = strings.TrimPrefix(key, k.namespace)
	}
	var path []string
	if rest = strings.TrimPrefix(rest, "/"); rest != "" {
		path = strings.Split(rest, "/")
	}
	if k.layers == nil {
		return place{path: path}, true
	}
	return k.layers.place(path)
}

func (l layers) place(path []string) (place, bool) {
	layer := 0
	if len(path) > 1 && path[0] == ofEnvironment {
		if path[1] != l.environment || l.environment == "" {
			return place{}, false
		}
		layer, path = 2, path[2:]
	}
	if len(path) > 1 && path[0] == ofService {
		if path[1] != l.service || l.service == "" {
			return place{}, false
		}
		layer, path = layer+1, path[2:]
	}
	return place{layer, path}, true
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

// document lays the layers over one another.
func document(trees [layerCount]map[string]any) map[string]any {
	doc := make(map[string]any)
	for _, one := range trees {
		doc = tree.Merge(doc, one)
	}
	return doc
}

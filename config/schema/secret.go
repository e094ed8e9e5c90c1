package schema

import (
	"slices"
	"strconv"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// secretFormat is the format of what may not be shown.
const secretFormat = "secret"

// secret reports whether a schema says that the value at a path, or one that it is a
// part of, is a secret. It looks at every schema that may have a say, whether its
// condition holds or not.
func (j judgement) secret(path []string) bool {
	root := j.schema.root
	if root == nil {
		return false
	}
	v := j.document
	say := closure([]*jsonschema.Schema{root})
	for i := 0; ; i++ {
		if slices.ContainsFunc(say, callsSecret) {
			return true
		}
		if i == len(path) || len(say) == 0 {
			return false
		}
		var next []*jsonschema.Schema
		for _, s := range say {
			next = append(next, part(s, v, path[i])...)
		}
		v = judgement{document: v}.at(path[i : i+1])
		say = closure(next)
	}
}

// Secrets returns the paths of what the schema calls a secret in a document that is
// decoded already: of each the outermost value, spelled as in Violation, sorted.
func (s *Schema) Secrets(document any) []string {
	var found []string
	var walk func(v any, path []string, say []*jsonschema.Schema)
	walk = func(v any, path []string, say []*jsonschema.Schema) {
		if slices.ContainsFunc(say, callsSecret) {
			found = append(found, Join(path))
			return
		}
		each := func(name string, one any) {
			var next []*jsonschema.Schema
			for _, s := range say {
				next = append(next, part(s, v, name)...)
			}
			if len(next) > 0 {
				walk(one, append(slices.Clone(path), name), closure(next))
			}
		}
		switch v := v.(type) {
		case map[string]any:
			for name, one := range v {
				each(name, one)
			}
		case []any:
			for i, one := range v {
				each(strconv.Itoa(i), one)
			}
		}
	}
	walk(document, nil, closure([]*jsonschema.Schema{s.root}))
	slices.Sort(found)
	return found
}

func callsSecret(s *jsonschema.Schema) bool {
	return s.WriteOnly || s.Format != nil && s.Format.Name == secretFormat
}

// part returns the schemas that may have a say about one part of v because s has one
// about v.
func part(s *jsonschema.Schema, v any, name string) []*jsonschema.Schema {
	if _, ok := v.([]any); ok {
		n, err := strconv.Atoi(name)
		if err != nil {
			return nil
		}
		return ofElement(s, n)
	}
	return ofField(s, name)
}

// closure returns the schemas and those that judge the same value because they do.
func closure(all []*jsonschema.Schema) []*jsonschema.Schema {
	seen := make(map[*jsonschema.Schema]bool)
	var found []*jsonschema.Schema
	for len(all) > 0 {
		s := all[len(all)-1]
		all = all[:len(all)-1]
		if !seen[s] {
			seen[s] = true
			found = append(found, s)
			all = append(all, inPlace(s)...)
		}
	}
	return found
}

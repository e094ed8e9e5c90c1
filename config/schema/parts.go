package schema

import (
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// some returns those that are not nil.
func some(all ...*jsonschema.Schema) []*jsonschema.Schema {
	return slices.DeleteFunc(all, func(s *jsonschema.Schema) bool { return s == nil })
}

// inPlace returns the schemas that judge a value because s does.
func inPlace(s *jsonschema.Schema) []*jsonschema.Schema {
	all := slices.Concat(some(s.Ref, s.Not, s.If, s.Then, s.Else), s.AllOf, s.AnyOf, s.OneOf)
	for _, one := range s.DependentSchemas {
		all = append(all, one)
	}
	for _, one := range s.Dependencies {
		if one, ok := one.(*jsonschema.Schema); ok {
			all = append(all, one)
		}
	}
	return all
}

// below returns all schemas that judge parts of a value because s judges the value.
func below(s *jsonschema.Schema) []*jsonschema.Schema {
	all := slices.Concat(some(s.PropertyNames, s.UnevaluatedProperties, s.UnevaluatedItems, s.Contains, s.Items2020), s.PrefixItems)
	for _, one := range s.Properties {
		all = append(all, one)
	}
	for _, one := range s.PatternProperties {
		all = append(all, one)
	}
	for _, one := range []any{s.AdditionalProperties, s.Items, s.AdditionalItems} {
		switch one := one.(type) {
		case *jsonschema.Schema:
			all = append(all, some(one)...)
		case []*jsonschema.Schema:
			all = append(all, one...)
		}
	}
	return all
}

// ofField returns the schemas that may judge the field of that name because s judges the
// object.
func ofField(s *jsonschema.Schema, name string) []*jsonschema.Schema {
	all := some(s.Properties[name], s.UnevaluatedProperties)
	named := s.Properties[name] != nil
	for pattern, one := range s.PatternProperties {
		if pattern.MatchString(name) {
			all, named = append(all, one), true
		}
	}
	if one, ok := s.AdditionalProperties.(*jsonschema.Schema); ok && !named {
		all = append(all, some(one)...)
	}
	return all
}

// ofElement returns the schemas that may judge element n because s judges the list.
func ofElement(s *jsonschema.Schema, n int) []*jsonschema.Schema {
	all := some(s.Contains, s.UnevaluatedItems)
	first, rest := s.PrefixItems, s.Items2020
	switch items := s.Items.(type) {
	case *jsonschema.Schema:
		rest = items
	case []*jsonschema.Schema:
		first = items
		rest, _ = s.AdditionalItems.(*jsonschema.Schema)
	}
	if n < len(first) {
		return append(all, first[n])
	}
	return append(all, some(rest)...)
}

// location is where a schema stands in the text.
func location(s *jsonschema.Schema) string { return shortLocation(s.Location) }

func shortLocation(url string) string {
	if at, ok := strings.CutPrefix(url, here); ok {
		return at
	}
	return url
}

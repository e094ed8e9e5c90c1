package lint

import (
	"cmp"
	"errors"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"

	format "github.com/rollcall-go/micro/config/encoder/json"
	"github.com/rollcall-go/micro/config/schema"
	"github.com/rollcall-go/micro/config/secret"
	"github.com/rollcall-go/micro/internal/gray"
)

// Violation is a value that a schema does not take, as somebody reads it.
type Violation struct {
	Schema string `json:"schema"` // the key of the schema
	Key    string `json:"key"`    // the key that gives the value, or of the schema if none does
	// Service and Environment say who reads it so, "" for those without layers of their
	// own. Of several who do, it is the one with the fewest layers.
	Service     string `json:"service,omitempty"`
	Environment string `json:"environment,omitempty"`
	Gray        string `json:"gray,omitempty"` // for whom alone it is so
	// Violation has the path at which programs read the value.
	schema.Violation

	value any // at that path
}

// Judge returns what the schemas do not take, those alone whose keys about reports if it
// is not nil. Each schema judges what stands at and below its path as it is read: values
// laid over one another as layers are, and with each gray over them. A schema below a
// layer judges for those alone who have that layer.
//
// Judged are those who have a layer of their own with something at that path, each
// environment with each service, and those without. Who may still have more layers than
// those is judged for what is there, and not for what is missing.
//
// What cannot be read, sealed secrets and strings with a variable in them are not judged,
// and null is as nothing, as for programs.
func (c Config) Judge(about func(key string) bool) []Violation {
	var all []Violation
	plain := newSpots(c.Values)
	grays := c.grays()
	for _, key := range slices.Sorted(maps.Keys(c.Schemas)) {
		if about != nil && !about(key) {
			continue
		}
		s, err := schema.Compile([]byte(c.Schemas[key]))
		if err != nil {
			all = append(all, Violation{Schema: key, Key: key, Violation: schema.Violation{Path: key, Rule: Unreadable, Text: err.Error()}})
			continue
		}
		j := judge{key: key, schema: s}
		of, path, _ := locate(key)
		j.layer, j.path = of, path
		found := j.all(plain)
		all = append(all, found...)
		for _, name := range slices.Sorted(maps.Keys(grays)) {
			if !slices.ContainsFunc(grays[name].Keys(), func(k string) bool { return Concerns(key, k) }) {
				continue
			}
			j.gray = name
			all = append(all, New(found, j.all(newSpots(laidOver(c.Values, grays[name]))))...)
		}
	}
	return all
}

// Unreadable is the rule that a schema violates that cannot be read itself.
const Unreadable = "schema"

// grays returns the grays that can be read.
func (c Config) grays() map[string]gray.Record {
	all := make(map[string]gray.Record)
	for name, text := range c.Grays {
		if r, err := gray.Decode([]byte(text)); err == nil {
			all[name] = r
		}
	}
	return all
}

func laidOver(values map[string]string, r gray.Record) map[string]string {
	all := make(map[string]string)
	maps.Copy(all, values)
	for key, value := range r.Values {
		if delete(all, key); value != nil {
			all[key] = *value
		}
	}
	return all
}

// New returns those of now that are not in before, or were about another value there.
func New(before, now []Violation) []Violation {
	return slices.DeleteFunc(slices.Clone(now), func(v Violation) bool {
		return v.Rule != Unreadable && slices.ContainsFunc(before, func(b Violation) bool {
			return b.Schema == v.Schema && b.Path == v.Path && b.Rule == v.Rule && b.At == v.At && b.Text == v.Text &&
				b.Service == v.Service && b.Environment == v.Environment && (b.Gray == "" || b.Gray == v.Gray) && reflect.DeepEqual(b.value, v.value)
		})
	})
}

// judge judges by one schema.
type judge struct {
	key    string
	schema *schema.Schema
	layer  layer
	path   []string
	gray   string
}

func (j judge) all(s spots) []Violation {
	relevant := s.at(j.layer, j.path)
	var all []Violation
	for _, who := range readers(j.layer, relevant) {
		doc := document(relevant, who.layer)
		value := withoutNulls(below(doc, j.path))
		if value == nil {
			continue
		}
		for _, v := range j.violations(value, who) {
			path := append(slices.Clone(j.path), v.Parts()...)
			one := Violation{Schema: j.key, Key: giver(relevant, who.layer, path), Service: who.service, Environment: who.environment, Gray: j.gray, Violation: v, value: below(doc, path)}
			if one.Path = join(path); one.Key == "" {
				one.Key = j.key
			}
			if !slices.ContainsFunc(all, func(b Violation) bool {
				return b.Key == one.Key && b.Path == one.Path && b.Rule == one.Rule && b.At == one.At && b.Text == one.Text
			}) {
				all = append(all, one)
			}
		}
	}
	slices.SortStableFunc(all, func(a, b Violation) int { return cmp.Or(cmp.Compare(a.Key, b.Key), cmp.Compare(a.Path, b.Path)) })
	return all
}

func (j judge) violations(value any, who reader) []schema.Violation {
	err := j.schema.CheckValue(value, schema.Unknown{Sealed: unknown, Fields: who.more})
	var found *schema.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &found):
		return found.Violations
	}
	return []schema.Violation{{Rule: Unreadable, Text: err.Error()}}
}

var variable = regexp.MustCompile(`\$\{[A-Za-z0-9_]+\}`)

// unknown reports whether a string stands for something that only the service knows.
func unknown(text string) bool { return secret.Is(text) || variable.MatchString(text) }

// decode reads a value, nil if it cannot be read.
func decode(text string) (v any) {
	if format.NewEncoder().Decode([]byte(text), &v) != nil {
		return nil
	}
	return v
}

// withoutNulls returns v without the fields that are null.
func withoutNulls(v any) any {
	switch v := v.(type) {
	case map[string]any:
		all := make(map[string]any, len(v))
		for name, one := range v {
			if one != nil {
				all[name] = withoutNulls(one)
			}
		}
		return all
	case []any:
		all := make([]any, len(v))
		for i, one := range v {
			all[i] = withoutNulls(one)
		}
		return all
	}
	return v
}

// below returns the value at a path, nil if there is none.
func below(v any, path []string) any {
	for _, part := range path {
		fields, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		v = fields[part]
	}
	return v
}

// Concerns reports whether what stands under a key is judged by the schema of another.
func Concerns(schemaKey, key string) bool {
	of, path, ok := locate(schemaKey)
	at, rest, there := locate(key)
	return ok && there && of.has(at) && overlap(path, rest)
}

func join(path []string) string { return strings.Join(path, "/") }

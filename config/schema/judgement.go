package schema

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
)

// judgement makes violations of what the library found in a document.
type judgement struct {
	schema   *Schema
	document any
	unknown  Unknown
}

// collect returns the violations that e tells of. There may be none: what is said about
// what is not known does not count, and an alternative that fails of that alone holds.
func (j judgement) collect(e *jsonschema.ValidationError) []Violation {
	switch k := e.ErrorKind.(type) {
	case *kind.Schema, *kind.Group, *kind.Reference, *kind.AllOf:
		var all []Violation
		for _, cause := range e.Causes {
			all = append(all, j.collect(cause)...)
		}
		return all
	case *kind.AnyOf:
		return j.alternatives(e, "anyOf")
	case *kind.OneOf:
		if len(k.Subschemas) == 0 {
			return j.alternatives(e, "oneOf")
		}
	case *kind.Required:
		return j.missing(e, k.Missing, "it is missing")
	case *kind.Dependency:
		return j.missing(e, k.Missing, fmt.Sprintf("it is missing, and %q is there", k.Prop))
	case *kind.DependentRequired:
		return j.missing(e, k.Missing, fmt.Sprintf("it is missing, and %q is there", k.Prop))
	case *kind.AdditionalProperties:
		return j.fields(e, k.Properties, "the schema has no such field")
	}
	value := j.at(e.InstanceLocation)
	switch value := value.(type) {
	case string:
		if j.unknown.Sealed != nil && j.unknown.Sealed(value) {
			return nil
		}
	case map[string]any:
		if j.unknown.Fields && comparesFields(e.ErrorKind) {
			return nil
		}
	}
	return []Violation{j.violation(e, e.InstanceLocation, reason(e, value, j.secret(e.InstanceLocation)))}
}

func (j judgement) violation(e *jsonschema.ValidationError, path []string, text string) Violation {
	return Violation{Join(path), rule(e.ErrorKind), shortLocation(e.SchemaURL), text}
}

// comparesFields reports whether an object that violates a rule may keep it once it has
// more fields.
func comparesFields(k jsonschema.ErrorKind) bool {
	switch k.(type) {
	case *kind.MinProperties, *kind.Const, *kind.Enum, *kind.Not, *kind.OneOf:
		return true
	}
	return false
}

func (j judgement) missing(e *jsonschema.ValidationError, names []string, text string) []Violation {
	if j.unknown.Fields {
		return nil
	}
	return j.fields(e, names, text)
}

// fields tells of fields by their names.
func (j judgement) fields(e *jsonschema.ValidationError, names []string, text string) []Violation {
	all := make([]Violation, 0, len(names))
	for _, name := range names {
		all = append(all, j.violation(e, append(slices.Clone(e.InstanceLocation), name), text))
	}
	return all
}

// alternatives tells why none of several schemas holds, by the one that comes nearest.
func (j judgement) alternatives(e *jsonschema.ValidationError, rule string) []Violation {
	var nearest []Violation
	for _, cause := range e.Causes {
		found := j.collect(cause)
		if len(found) == 0 {
			return nil
		}
		if nearest == nil || len(found) < len(nearest) {
			nearest = found
		}
	}
	text := fmt.Sprintf("none of the %d alternatives holds", len(e.Causes))
	if len(nearest) > 0 {
		text += "; of one, " + nearest[0].String()
	}
	return []Violation{{Join(e.InstanceLocation), rule, shortLocation(e.SchemaURL), text}}
}

// at returns the value at a path, nil if there is none.
func (j judgement) at(path []string) any {
	v := j.document
	for _, part := range path {
		switch in := v.(type) {
		case map[string]any:
			v = in[part]
		case []any:
			n, err := strconv.Atoi(part)
			if err != nil || n < 0 || n >= len(in) {
				return nil
			}
			v = in[n]
		default:
			return nil
		}
	}
	return v
}

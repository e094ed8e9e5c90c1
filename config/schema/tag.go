package schema

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// rules adds to the schema of a field what its tags say, and reports whether the field
// is required.
func rules(f field, s object) (required bool, err error) {
	if f.quoted {
		of := f.Type
		if of.Kind() == reflect.Pointer && of.Name() == "" {
			of = of.Elem()
		}
		if kind := of.Kind(); kind == reflect.Bool || isInteger(kind) || kind == reflect.Float32 || kind == reflect.Float64 {
			for name := range s {
				delete(s, name)
			}
			s["type"] = "string"
		}
	}
	if text := f.Tag.Get("description"); text != "" {
		s["description"] = text
	}
	rest := f.Tag.Get("schema")
	for rest != "" {
		var one string
		if strings.HasPrefix(rest, "pattern=") {
			one, rest = rest, ""
		} else {
			one, rest, _ = strings.Cut(rest, ",")
		}
		name, value, _ := strings.Cut(one, "=")
		if name == "required" {
			required = true
			continue
		}
		if err := oneRule(s, name, value); err != nil {
			return false, fmt.Errorf("the tag schema has %q: %w", one, err)
		}
	}
	return required, nil
}

var (
	numbers = []string{"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"}
	counts  = []string{"minLength", "maxLength", "minItems", "maxItems"}
)

// oneRule adds one rule.
func oneRule(s object, name, value string) (err error) {
	switch {
	case name == "secret":
		s["writeOnly"] = true
	case name == "uniqueItems":
		s["uniqueItems"] = true
	case name == "format" && value != "", name == "pattern" && value != "":
		s[name] = value
	case name == "enum" && value != "":
		s["enum"], err = choices(s["type"], value)
	case slices.Contains(numbers, name):
		s[name], err = number(value)
	case slices.Contains(counts, name):
		n, bad := strconv.ParseUint(value, 10, 31)
		if bad != nil {
			return errNoNumber
		}
		s[name] = n
	default:
		return errors.New("no such rule, or it has no value")
	}
	return err
}

// choices reads the values of an enum.
func choices(kind any, text string) ([]any, error) {
	var all []any
	for _, one := range strings.Split(text, "|") {
		switch kind {
		case "integer", "number":
			n, err := number(one)
			if err != nil {
				return nil, err
			}
			all = append(all, n)
		case "string":
			all = append(all, one)
		default:
			return nil, errors.New("it is for strings and numbers")
		}
	}
	return all, nil
}

// reference is what refers to a name of $defs.
func reference(name string) string {
	return "#/$defs/" + strings.NewReplacer("~", "~0", "/", "~1", "%", "%25", "[", "%5B", "]", "%5D", " ", "%20").Replace(name)
}

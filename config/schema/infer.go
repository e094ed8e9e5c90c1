package schema

import (
	"encoding"
	stdjson "encoding/json"
	"errors"
	"fmt"
	"math"
	"math/big"
	"reflect"
	"slices"
	"strconv"
	"time"
)

// Option changes what Of infers.
type Option func(*inference)

// Closed makes the schema refuse fields that the struct does not have. Without it they
// are passed over, as Bind does: a newer version of a service may need them already.
func Closed() Option { return func(i *inference) { i.closed = true } }

// Of returns the schema of what config.Bind takes for a T, which is what encoding/json
// does: fields are named by their json tag, those of embedded structs are the struct's
// own, and a field that is not there stays as it is.
//
//   - Integers have the bounds of their type. A time.Duration is a number of nanoseconds.
//   - A type that decodes text (encoding.TextUnmarshaler) is a string, time.Time one of
//     the format date-time. A type that decodes JSON by itself may be anything.
//   - What Defaults() fills a *T with is the default of each field, unless it is a secret.
//
// Further rules stand in the tag schema, separated by commas; pattern comes last, for it
// may have commas itself:
//
//	Port int           `json:"port" schema:"required,minimum=1,maximum=65535"`
//	Mode string        `json:"mode" schema:"enum=fast|safe"`
//	Key  string        `json:"key" schema:"secret,minLength=16"`
//	Zone string        `json:"zone" schema:"pattern=^[a-z]+-[0-9]{1,3}$"`
//
// These are required, secret (writeOnly), enum, format, minimum, maximum,
// exclusiveMinimum, exclusiveMaximum, multipleOf, minLength, maxLength, minItems, maxItems,
// uniqueItems and pattern. A tag description says what a field is for.
//
// The error names the field whose type or tag cannot be told in a schema. What a
// Validate() error of a *T judges is not in the schema.
func Of[T any](opts ...Option) (*Schema, error) {
	t := reflect.TypeFor[T]()
	fail := func(err error) (*Schema, error) { return nil, fmt.Errorf("infer the schema of %s: %w", t, err) }
	i := &inference{names: make(map[reflect.Type]string), defs: make(map[string]any)}
	for _, option := range opts {
		option(i)
	}
	root, err := i.of(t)
	if err != nil {
		return fail(err)
	}
	filled := new(T)
	if d, ok := any(filled).(interface{ Defaults() }); ok {
		d.Defaults()
		if err := i.defaults(root, reflect.ValueOf(filled).Elem()); err != nil {
			return fail(err)
		}
	}
	doc := map[string]any{"$schema": "https://json-schema.org/draft/2020-12/schema"}
	for name, v := range root {
		doc[name] = v
	}
	if len(i.defs) > 0 {
		doc["$defs"] = i.defs
	}
	text, err := stdjson.MarshalIndent(doc, "", "  ")
	if err != nil {
		return fail(err)
	}
	s, err := Compile(text)
	if err != nil {
		return fail(err)
	}
	return s, nil
}

// inference makes schemas of types.
type inference struct {
	closed bool
	names  map[reflect.Type]string // of structs that are being looked at, or refer to themselves
	defs   map[string]any
}

type object = map[string]any

// of returns the schema of a type.
func (i *inference) of(t reflect.Type) (object, error) {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	pointer := reflect.PointerTo(t)
	switch {
	case t == reflect.TypeFor[time.Time]():
		return object{"type": "string", "format": "date-time"}, nil
	case t == reflect.TypeFor[stdjson.Number]():
		return object{"type": "number"}, nil
	case pointer.Implements(reflect.TypeFor[stdjson.Unmarshaler]()):
		return object{}, nil
	case pointer.Implements(reflect.TypeFor[encoding.TextUnmarshaler]()):
		return object{"type": "string"}, nil
	}
	switch t.Kind() {
	case reflect.Bool:
		return object{"type": "boolean"}, nil
	case reflect.String:
		return object{"type": "string"}, nil
	case reflect.Float32, reflect.Float64:
		return object{"type": "number"}, nil
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		half := new(big.Int).Lsh(big.NewInt(1), uint(t.Bits()-1))
		return integer(new(big.Int).Neg(half), new(big.Int).Sub(half, big.NewInt(1))), nil
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		all := new(big.Int).Lsh(big.NewInt(1), uint(t.Bits()))
		return integer(new(big.Int), all.Sub(all, big.NewInt(1))), nil
	case reflect.Interface:
		if t.NumMethod() > 0 {
			return nil, fmt.Errorf("nothing can be decoded into the interface %s", t)
		}
		return object{}, nil
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Uint8 {
			return object{"type": "string", "contentEncoding": "base64"}, nil
		}
		return i.list(t)
	case reflect.Array:
		return i.list(t)
	case reflect.Map:
		switch k := t.Key(); {
		case k.Kind() == reflect.String, reflect.PointerTo(k).Implements(reflect.TypeFor[encoding.TextUnmarshaler]()), isInteger(k.Kind()):
		default:
			return nil, fmt.Errorf("a map with keys of type %s cannot be decoded", k)
		}
		value, err := i.of(t.Elem())
		if err != nil {
			return nil, err
		}
		return object{"type": "object", "additionalProperties": value}, nil
	case reflect.Struct:
		return i.structure(t)
	}
	return nil, fmt.Errorf("nothing can be decoded into the type %s", t)
}

func isInteger(k reflect.Kind) bool { return k >= reflect.Int && k <= reflect.Uintptr }

func integer(least, most *big.Int) object {
	return object{"type": "integer", "minimum": stdjson.Number(least.String()), "maximum": stdjson.Number(most.String())}
}

func (i *inference) list(t reflect.Type) (object, error) {
	element, err := i.of(t.Elem())
	if err != nil {
		return nil, err
	}
	return object{"type": "array", "items": element}, nil
}

// structure returns the schema of a struct. One that is a part of itself stands below
// $defs and is referred to.
func (i *inference) structure(t reflect.Type) (object, error) {
	if name, ok := i.names[t]; ok {
		if name == "" {
			name = strconv.Itoa(len(i.defs)+1) + "." + t.Name()
			i.names[t], i.defs[name] = name, nil
		}
		return object{"$ref": reference(name)}, nil
	}
	i.names[t] = ""
	properties, required := object{}, []any{}
	for _, f := range fieldsOf(t) {
		one, err := i.of(f.Type)
		if err != nil {
			return nil, fmt.Errorf("field %s: %w", f.Name, err)
		}
		needed, err := rules(f, one)
		if err != nil {
			return nil, fmt.Errorf("field %s: %w", f.Name, err)
		}
		if needed {
			required = append(required, f.json)
		}
		properties[f.json] = one
	}
	s := object{"type": "object", "properties": properties}
	if len(required) > 0 {
		s["required"] = required
	}
	if i.closed {
		s["additionalProperties"] = false
	}
	name := i.names[t]
	if name == "" {
		delete(i.names, t)
		return s, nil
	}
	i.defs[name] = s
	return object{"$ref": reference(name)}, nil
}

// defaults notes in the schema of a struct what its fields are filled with.
func (i *inference) defaults(s object, v reflect.Value) error {
	properties, ok := s["properties"].(object)
	if !ok || v.Kind() != reflect.Struct {
		return nil
	}
	for _, f := range fieldsOf(v.Type()) {
		field, err := v.FieldByIndexErr(f.Index)
		if err != nil || field.IsZero() {
			continue // of an embedded pointer that is nil, or not filled
		}
		one := properties[f.json].(object)
		if one["writeOnly"] == true {
			continue
		}
		for field.Kind() == reflect.Pointer && !field.IsNil() {
			field = field.Elem()
		}
		if _, ok := one["properties"]; ok && field.Kind() == reflect.Struct {
			if err := i.defaults(one, field); err != nil {
				return err
			}
			continue
		}
		if i.hasSecret(one, nil) {
			continue // a default is written as a whole, with the secret in it
		}
		text, err := stdjson.Marshal(field.Interface())
		if err != nil {
			return fmt.Errorf("field %s: write its default: %w", f.Name, err)
		}
		one["default"] = stdjson.RawMessage(text)
	}
	return nil
}

// hasSecret reports whether a secret is a part of what a schema judges, by way of names of
// $defs that are not among seen.
func (i *inference) hasSecret(v any, seen []string) bool {
	s, ok := v.(object)
	if !ok {
		return false
	}
	if s["writeOnly"] == true {
		return true
	}
	if ref, ok := s["$ref"].(string); ok && !slices.Contains(seen, ref) {
		for name, def := range i.defs {
			if ref == reference(name) && i.hasSecret(def, append(seen, ref)) {
				return true
			}
		}
	}
	for _, part := range []any{s["items"], s["additionalProperties"]} {
		if i.hasSecret(part, seen) {
			return true
		}
	}
	fields, _ := s["properties"].(object)
	for _, one := range fields {
		if i.hasSecret(one, seen) {
			return true
		}
	}
	return false
}

var errNoNumber = errors.New("it is no number")

// number reads a number of a tag.
func number(text string) (any, error) {
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsNaN(f) || math.IsInf(f, 0) || !stdjson.Valid([]byte(text)) {
		return nil, errNoNumber
	}
	return stdjson.Number(text), nil
}

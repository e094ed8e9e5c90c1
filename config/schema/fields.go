package schema

import (
	"cmp"
	"reflect"
	"slices"
	"strings"
)

// field is one of a struct as encoding/json decodes it.
type field struct {
	reflect.StructField        // with the Index from the struct, through those that are embedded
	json                string // its name
	tagged              bool   // the name is that of its tag
	quoted              bool   // the value stands in a string
}

// fieldsOf returns the fields of a struct, those of embedded structs among them. Of
// several with one name the least deep counts, of several as deep the only one with a
// tag, else none.
func fieldsOf(t reflect.Type) []field {
	byName := make(map[string][]field)
	var order []string
	var look func(t reflect.Type, index []int, in []reflect.Type)
	look = func(t reflect.Type, index []int, in []reflect.Type) {
		if slices.Contains(in, t) {
			return
		}
		for i := range t.NumField() {
			f := field{StructField: t.Field(i)}
			tag := f.Tag.Get("json")
			name, options, _ := strings.Cut(tag, ",")
			if tag == "-" {
				continue
			}
			f.Index = append(slices.Clone(index), i)
			if below := f.Type; f.Anonymous && name == "" {
				if below.Kind() == reflect.Pointer {
					below = below.Elem()
				}
				if below.Kind() == reflect.Struct {
					look(below, f.Index, append(in, t))
					continue
				}
			}
			if !f.IsExported() {
				continue
			}
			if f.json, f.tagged = name, name != ""; !f.tagged {
				f.json = f.Name
			}
			f.quoted = slices.Contains(strings.Split(options, ","), "string")
			if byName[f.json] == nil {
				order = append(order, f.json)
			}
			byName[f.json] = append(byName[f.json], f)
		}
	}
	look(t, nil, nil)
	var all []field
	for _, name := range order {
		if f, ok := dominant(byName[name]); ok {
			all = append(all, f)
		}
	}
	return all
}

// dominant returns the field that counts of several with one name.
func dominant(all []field) (field, bool) {
	slices.SortStableFunc(all, func(a, b field) int {
		tagged := func(f field) int {
			if f.tagged {
				return 0
			}
			return 1
		}
		return cmp.Or(cmp.Compare(len(a.Index), len(b.Index)), cmp.Compare(tagged(a), tagged(b)))
	})
	if len(all) > 1 && len(all[0].Index) == len(all[1].Index) && all[0].tagged == all[1].tagged {
		return field{}, false
	}
	return all[0], true
}

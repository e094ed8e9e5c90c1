package rpc

import (
	"maps"
	"reflect"
	"strings"

	"google.golang.org/protobuf/proto"

	"github.com/rollcall-go/micro/registry"
)

// valueDepth is how many levels of a message are described.
const valueDepth = 3

// Describe returns the method as it stands in the registry, with the metadata
// added. The description belongs to the caller.
func (m *Method) Describe(metadata map[string]string) *registry.Endpoint {
	e := &registry.Endpoint{Name: m.Endpoint, Metadata: make(map[string]string, len(metadata))}
	if m.Stream {
		// v2 describes the arguments of the method.
		e.Request, e.Response = describe(contextType, 0), describe(m.request, 0)
		e.Metadata["stream"] = "true"
	} else {
		e.Request, e.Response = describe(m.request, 0), describe(m.response, 0)
		if m.described != nil && m.described.Idempotent {
			e.Metadata["idempotent"] = "true"
		}
	}
	maps.Copy(e.Metadata, metadata)
	return e
}

// DescribeTypes returns a method that is no Method as it stands in the registry. A
// type that is nil is left out.
func DescribeTypes(endpoint string, request, response reflect.Type, stream bool) *registry.Endpoint {
	e := &registry.Endpoint{Name: endpoint, Request: describe(request, 0), Response: describe(response, 0), Metadata: map[string]string{}}
	if stream {
		e.Metadata["stream"] = "true"
	}
	return e
}

var protoType = reflect.TypeFor[proto.Message]()

// describe returns the shape of a type, its fields included down to valueDepth.
// It returns nil below that.
func describe(t reflect.Type, depth int) *registry.Value {
	if depth == valueDepth || t == nil {
		return nil
	}
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	v := &registry.Value{Name: t.Name(), Type: t.Name()}
	switch t.Kind() {
	case reflect.Struct:
		v.Values = describeFields(t, depth+1)
	case reflect.Slice:
		elem := t.Elem()
		if elem.Kind() == reflect.Pointer {
			elem = elem.Elem()
		}
		v.Type = "[]" + elem.Name()
	}
	return v
}

// describeFields describes the fields of a struct. Of a message by a current
// protobuf generator, those that hold its internals are left out.
func describeFields(t reflect.Type, depth int) []*registry.Value {
	var out []*registry.Value
	message := reflect.PointerTo(t).Implements(protoType)
	for i := range t.NumField() {
		f := t.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name == "-" || name == "omitempty" || message && !f.IsExported() {
			continue
		}
		v := describe(f.Type, depth)
		if v == nil {
			continue
		}
		switch {
		case f.Tag.Get("json") != "" && name != "":
			v.Name = name
		case f.Tag.Get("json") != "" || v.Name == "":
			v.Name = f.Name
		}
		out = append(out, v)
	}
	return out
}

package main

import (
	"slices"
	"strings"

	"google.golang.org/protobuf/compiler/protogen"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// endpoint is how a method is reached over HTTP.
type endpoint struct {
	name    string
	paths   []string
	methods []string
	body    string
	stream  bool
}

// endpoints writes the func that lists the methods which are reached over HTTP.
func (w writer) endpoints(s *protogen.Service) {
	w.write(`
// New${Service}Endpoints returns the methods that are reached over HTTP.
func New${Service}Endpoints() []*$api.Endpoint {
	return []*$api.Endpoint{`)
	for _, m := range s.Methods {
		if e, ok := endpointOf(s, m); ok {
			w.write("{")
			w.endpoint(e)
			w.write("},")
		}
	}
	w.write("\t}\n}\n")
}

// endpoint writes the fields of an api.Endpoint.
func (w writer) endpoint(e endpoint) {
	w.file.P("Name: ", quote(e.name), ",")
	w.file.P("Path: ", literal(e.paths), ",")
	w.file.P("Method: ", literal(e.methods), ",")
	if e.body != "" {
		w.file.P("Body: ", quote(e.body), ",")
	}
	if e.stream {
		w.file.P("Stream: true,")
	}
	w.file.P("Handler: ", quote("rpc"), ",")
}

func literal(list []string) string {
	quoted := make([]string, len(list))
	for i, s := range list {
		quoted[i] = quote(s)
	}
	return "[]string{" + strings.Join(quoted, ", ") + "}"
}

// endpointOf returns what the option google.api.http of a method says, with that of
// its additional bindings, and whether there is one.
func endpointOf(s *protogen.Service, m *protogen.Method) (endpoint, bool) {
	e := endpoint{name: s.GoName + "." + string(m.Desc.Name()), stream: streams(m)}
	eachBytes(optionsOf(m), func(num protowire.Number, rule []byte) {
		if num == httpOption {
			e.add(rule, true)
		}
	})
	return e, len(e.paths) > 0
}

// httpOption is the number of the option google.api.http, and the others are those of
// the fields of google.api.HttpRule. They are read as they are on the wire: the
// package of their messages is none that a program need have in its go.mod.
const (
	httpOption     = 72295728
	ruleGet        = 2
	rulePut        = 3
	rulePost       = 4
	ruleDelete     = 5
	rulePatch      = 6
	ruleBody       = 7
	ruleCustom     = 8
	ruleAdditional = 11
	customKind     = 1
	customPath     = 2
)

var httpMethods = map[protowire.Number]string{
	ruleGet: "GET", rulePut: "PUT", rulePost: "POST", ruleDelete: "DELETE", rulePatch: "PATCH",
}

// add takes over a rule and, from the first, the additional ones within it, which hold
// no further ones. The body is that of the first.
func (e *endpoint) add(rule []byte, first bool) {
	eachBytes(rule, func(num protowire.Number, value []byte) {
		switch method, path := httpMethods[num], string(value); {
		case method != "":
			e.bind(method, path)
		case num == ruleCustom:
			var kind, path string
			eachBytes(value, func(num protowire.Number, value []byte) {
				switch num {
				case customKind:
					kind = string(value)
				case customPath:
					path = string(value)
				}
			})
			e.bind(kind, path)
		case num == ruleBody && first:
			e.body = string(value)
		}
	})
	eachBytes(rule, func(num protowire.Number, value []byte) {
		if num == ruleAdditional && first {
			e.add(value, false)
		}
	})
}

func (e *endpoint) bind(method, path string) {
	if method == "" || path == "" {
		return
	}
	if !slices.Contains(e.paths, path) {
		e.paths = append(e.paths, path)
	}
	if !slices.Contains(e.methods, method) {
		e.methods = append(e.methods, method)
	}
}

// optionsOf returns the options of a method as they are on the wire.
func optionsOf(m *protogen.Method) []byte {
	options := m.Desc.Options().ProtoReflect()
	raw := slices.Clone([]byte(options.GetUnknown()))
	options.Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		if f.Number() != httpOption || f.Message() == nil {
			return true
		}
		rule, err := proto.MarshalOptions{Deterministic: true}.Marshal(v.Message().Interface())
		if err == nil {
			raw = protowire.AppendTag(raw, httpOption, protowire.BytesType)
			raw = protowire.AppendBytes(raw, rule)
		}
		return true
	})
	return raw
}

// eachBytes calls do with each field of a message that is a text, bytes or a message.
func eachBytes(message []byte, do func(protowire.Number, []byte)) {
	for len(message) > 0 {
		num, typ, n := protowire.ConsumeTag(message)
		if n < 0 {
			return
		}
		message = message[n:]
		if typ == protowire.BytesType {
			value, n := protowire.ConsumeBytes(message)
			if n < 0 {
				return
			}
			do(num, value)
			message = message[n:]
			continue
		}
		if n = protowire.ConsumeFieldValue(num, typ, message); n < 0 {
			return
		}
		message = message[n:]
	}
}

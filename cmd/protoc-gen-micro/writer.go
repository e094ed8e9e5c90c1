package main

import (
	"maps"
	"os"
	"strings"

	"google.golang.org/protobuf/compiler/protogen"
)

// packages are those of this module and of Go that generated code imports, by the
// names that they have in the templates.
var packages = map[string]protogen.GoImportPath{
	"context": "context",
	"api":     "github.com/rollcall-go/micro/api",
	"client":  "github.com/rollcall-go/micro/client",
	"server":  "github.com/rollcall-go/micro/server",
}

// writer fills in templates for one service. A name behind a dollar sign is, in this
// order, a value of the service, a package, or a variable, which gets another name
// where a package of the program's has its own.
type writer struct {
	file     *protogen.GeneratedFile
	imported map[string]bool
	values   map[string]string
}

// with returns a writer with more values.
func (w writer) with(values map[string]string) writer {
	w.values = maps.Clone(w.values)
	maps.Copy(w.values, values)
	return w
}

// method returns a writer with the values of a method.
func (w writer) method(s *protogen.Service, m *protogen.Method) writer {
	n := namesOf(s)
	clientStream, clientStreamStruct := n.clientStream(m)
	handlerStream, handlerStreamStruct := n.handlerStream(m)
	idempotent, idempotentRequest := "", ""
	if isIdempotent(m) {
		idempotent, idempotentRequest = "\n\t\t\tIdempotent: true,", ", "+w.value("client")+".IdempotentRequest()"
	}
	return w.with(map[string]string{
		"idempotent":          idempotent,
		"idempotentRequest":   idempotentRequest,
		"Method":              m.GoName,
		"name":                quote(string(m.Desc.Name())),
		"endpoint":            quote(s.GoName + "." + string(m.Desc.Name())),
		"Request":             w.file.QualifiedGoIdent(m.Input.GoIdent),
		"Response":            w.file.QualifiedGoIdent(m.Output.GoIdent),
		"ClientStream":        clientStream,
		"clientStreamStruct":  clientStreamStruct,
		"HandlerStream":       handlerStream,
		"handlerStreamStruct": handlerStreamStruct,
		"comment":             comment(m.Comments.Leading, deprecatedMethod(m)),
	})
}

func (w writer) write(template string) {
	w.file.P(os.Expand(strings.Trim(template, "\n"), w.value))
}

// blank writes an empty line.
func (w writer) blank() { w.file.P() }

func (w writer) value(name string) string {
	if v, ok := w.values[name]; ok {
		return v
	}
	if path, ok := packages[name]; ok {
		pkg, _, _ := strings.Cut(w.file.QualifiedGoIdent(path.Ident("X")), ".")
		return pkg
	}
	for w.imported[name] {
		name += "_"
	}
	return name
}

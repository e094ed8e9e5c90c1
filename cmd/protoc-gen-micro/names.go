package main

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"google.golang.org/protobuf/compiler/protogen"
)

// names are the identifiers that a service gets in Go. The exported ones are v2's.
type names struct {
	service string // Greeter
	client  string // GreeterService
	handler string // GreeterHandler
}

func namesOf(s *protogen.Service) names {
	n := names{service: s.GoName, client: s.GoName, handler: s.GoName + "Handler"}
	if !strings.HasSuffix(s.GoName, "Service") {
		n.client += "Service"
	}
	return n
}

// values returns the names as the templates have them.
func (n names) values() map[string]string {
	return map[string]string{
		"Service":       n.service,
		"Client":        n.client,
		"Handler":       n.handler,
		"clientStruct":  unexported(n.client),
		"handlerStruct": unexported(n.handler),
	}
}

// clientStream and handlerStream are the types of a stream of either end.
func (n names) clientStream(m *protogen.Method) (exported, own string) {
	return n.service + "_" + m.GoName + "Service", unexported(n.client) + m.GoName
}

func (n names) handlerStream(m *protogen.Method) (exported, own string) {
	return n.service + "_" + m.GoName + "Stream", unexported(n.service) + m.GoName + "Stream"
}

// declared returns all that is declared for a service outside of functions.
func (n names) declared(s *protogen.Service) []string {
	all := []string{
		"New" + n.service + "Endpoints", n.client, "New" + n.client, n.handler, "Register" + n.handler,
		unexported(n.client), unexported(n.handler),
	}
	for _, m := range s.Methods {
		if streams(m) {
			c, ownC := n.clientStream(m)
			h, ownH := n.handlerStream(m)
			all = append(all, c, ownC, h, ownH)
		}
	}
	return all
}

func streams(m *protogen.Method) bool {
	return m.Desc.IsStreamingClient() || m.Desc.IsStreamingServer()
}

func unexported(s string) string {
	r, size := utf8.DecodeRuneInString(s)
	return string(unicode.ToLower(r)) + s[size:]
}

// checkNames returns an error if two things get one name in Go. The compiler would
// say so as well, but of code that nobody wrote.
func checkNames(files []*protogen.File) error {
	type identifier struct {
		path protogen.GoImportPath
		name string
	}
	taken := make(map[identifier]string)
	take := func(path protogen.GoImportPath, name, by string) error {
		id := identifier{path, name}
		if other, there := taken[id]; there && other != by {
			return fmt.Errorf("%s and %s both become %s in Go: rename one of them", other, by, name)
		}
		taken[id] = by
		return nil
	}
	for _, f := range files {
		for _, id := range typesOf(f) {
			if err := take(f.GoImportPath, id.name, id.by); err != nil {
				return err
			}
		}
		for _, s := range f.Services {
			by := fmt.Sprintf("service %q", s.Desc.FullName())
			for _, name := range namesOf(s).declared(s) {
				if err := take(f.GoImportPath, name, by); err != nil {
					return err
				}
			}
			methods := make(map[string]*protogen.Method)
			for _, m := range s.Methods {
				if other := methods[m.GoName]; other != nil {
					return fmt.Errorf("the methods %q and %q of %s both become %s in Go: rename one of them", other.Desc.Name(), m.Desc.Name(), by, m.GoName)
				}
				methods[m.GoName] = m
			}
		}
	}
	return nil
}

// named is a type of Go and what it stands for.
type named struct{ name, by string }

func typesOf(f *protogen.File) []named {
	var all []named
	add := func(id protogen.GoIdent, what string, full any) {
		all = append(all, named{id.GoName, fmt.Sprintf("%s %q", what, full)})
	}
	for _, e := range f.Enums {
		add(e.GoIdent, "enum", e.Desc.FullName())
	}
	var within func([]*protogen.Message)
	within = func(messages []*protogen.Message) {
		for _, m := range messages {
			if m.Desc.IsMapEntry() {
				continue
			}
			add(m.GoIdent, "message", m.Desc.FullName())
			for _, e := range m.Enums {
				add(e.GoIdent, "enum", e.Desc.FullName())
			}
			within(m.Messages)
		}
	}
	within(f.Messages)
	return all
}

package compare

import (
	"fmt"
	"go/types"
)

// Shape is what a package exports: each identifier with its signature. Fields and
// methods are named after their type, as in "Options.Addrs".
type Shape map[string]string

// shapeOf describes a package. Import paths in signatures are given through home.
func shapeOf(p *types.Package, home func(string) string) Shape {
	s := make(Shape)
	w := writer{home: home}
	for _, name := range p.Scope().Names() {
		obj := p.Scope().Lookup(name)
		if !obj.Exported() {
			continue
		}
		switch obj := obj.(type) {
		case *types.Const:
			s[name] = fmt.Sprintf("const %s = %s", w.string(obj.Type()), obj.Val().ExactString())
		case *types.Var:
			s[name] = "var " + w.string(obj.Type())
		case *types.Func:
			s[name] = w.string(obj.Type())
		case *types.TypeName:
			if obj.IsAlias() {
				s[name] = "type = " + w.string(types.Unalias(obj.Type()))
				continue
			}
			s.addType(name, obj.Type(), w)
		}
	}
	return s
}

func (s Shape) addType(name string, t types.Type, w writer) {
	switch u := t.Underlying().(type) {
	case *types.Struct:
		s[name] = "type struct"
		for f := range u.Fields() {
			if f.Exported() {
				s[name+"."+f.Name()] = "field " + w.string(f.Type())
			}
		}
		for i := range u.NumFields() {
			if tag := u.Tag(i); tag != "" && u.Field(i).Exported() {
				s[name+"."+u.Field(i).Name()] += " `" + tag + "`"
			}
		}
	case *types.Interface:
		s[name] = "type interface"
		for m := range u.Methods() {
			if m.Exported() {
				s[name+"."+m.Name()] = "method " + w.string(m.Type())
			} else {
				s[name] = "type interface, sealed"
			}
		}
		return
	default:
		s[name] = "type " + w.string(u)
	}
	values := types.NewMethodSet(t)
	for m := range types.NewMethodSet(types.NewPointer(t)).Methods() {
		if !m.Obj().Exported() {
			continue
		}
		receiver := "*"
		if values.Lookup(m.Obj().Pkg(), m.Obj().Name()) != nil {
			receiver = ""
		}
		s[name+"."+m.Obj().Name()] = fmt.Sprintf("method (%sT) %s", receiver, w.string(m.Obj().Type()))
	}
}

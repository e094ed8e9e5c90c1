package compare

import (
	"fmt"
	"go/types"
	"strings"
)

// writer writes types so that those of two modules can be compared as text: it
// leaves out the names of parameters, writes aliases as what they stand for, and
// translates import paths.
type writer struct {
	home func(path string) string
}

func (w writer) string(t types.Type) string {
	switch t := types.Unalias(t).(type) {
	case *types.Basic:
		return t.Name()
	case *types.Named:
		return w.named(t)
	case *types.TypeParam:
		return t.Obj().Name()
	case *types.Pointer:
		return "*" + w.string(t.Elem())
	case *types.Slice:
		return "[]" + w.string(t.Elem())
	case *types.Array:
		return fmt.Sprintf("[%d]%s", t.Len(), w.string(t.Elem()))
	case *types.Map:
		return "map[" + w.string(t.Key()) + "]" + w.string(t.Elem())
	case *types.Chan:
		return [...]string{"chan ", "chan<- ", "<-chan "}[t.Dir()] + w.string(t.Elem())
	case *types.Signature:
		return "func" + w.signature(t)
	case *types.Struct:
		var fields []string
		for f := range t.Fields() {
			fields = append(fields, f.Name()+" "+w.string(f.Type()))
		}
		return "struct{" + strings.Join(fields, "; ") + "}"
	case *types.Interface:
		return w.anonymous(t)
	default:
		return t.String()
	}
}

func (w writer) named(t *types.Named) string {
	name := t.Obj().Name()
	if p := t.Obj().Pkg(); p != nil {
		name = w.home(p.Path()) + "." + name
	}
	if args := t.TypeArgs(); args != nil {
		var list []string
		for a := range args.Types() {
			list = append(list, w.string(a))
		}
		name += "[" + strings.Join(list, ", ") + "]"
	}
	return name
}

func (w writer) anonymous(t *types.Interface) string {
	if t.Empty() {
		return "any"
	}
	var methods []string
	for m := range t.Methods() {
		methods = append(methods, m.Name()+w.signature(m.Type().(*types.Signature)))
	}
	return "interface{" + strings.Join(methods, "; ") + "}"
}

func (w writer) signature(s *types.Signature) string {
	params := w.tuple(s.Params())
	if s.Variadic() {
		last := len(params) - 1
		params[last] = "..." + strings.TrimPrefix(params[last], "[]")
	}
	text := "(" + strings.Join(params, ", ") + ")"
	switch results := w.tuple(s.Results()); len(results) {
	case 0:
		return text
	case 1:
		return text + " " + results[0]
	default:
		return text + " (" + strings.Join(results, ", ") + ")"
	}
}

func (w writer) tuple(t *types.Tuple) []string {
	var list []string
	for v := range t.Variables() {
		list = append(list, w.string(v.Type()))
	}
	return list
}

package guard

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strings"
)

// place is a function of a file, methods by the name of their type: "conn.go Conn.Close".
type place struct{ file, function string }

func (p place) String() string { return p.file + " " + p.function }

// files returns the Go files below dir, relative to it, but for those of testdata.
func files(dir string) ([]string, error) {
	var all []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == "testdata" || d.Name() == ".git"):
			return filepath.SkipDir
		case !d.IsDir() && strings.HasSuffix(path, ".go"):
			name, err := filepath.Rel(dir, path)
			all = append(all, filepath.ToSlash(name))
			return err
		}
		return nil
	})
	return all, err
}

// calls returns every call of pkg.name in a file below dir that is not within a
// call of inside, which may be empty, as an argument.
func calls(dir, file, name, inside string) ([]place, []token.Position, error) {
	set := token.NewFileSet()
	tree, err := parser.ParseFile(set, filepath.Join(dir, file), nil, parser.SkipObjectResolution)
	if err != nil {
		return nil, nil, err
	}
	var places []place
	var at []token.Position
	for _, d := range tree.Decls {
		function := "(package)"
		if f, ok := d.(*ast.FuncDecl); ok {
			function = nameOf(f)
		}
		ast.Inspect(d, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			switch called(call) {
			case name:
				places = append(places, place{file, function})
				at = append(at, set.Position(call.Pos()))
			case inside:
				return inside == ""
			}
			return true
		})
	}
	return places, at, nil
}

// called returns what a call calls, "pkg.Name", or "" if it is something else.
func called(call *ast.CallExpr) string {
	if s, ok := call.Fun.(*ast.SelectorExpr); ok {
		if x, ok := s.X.(*ast.Ident); ok {
			return x.Name + "." + s.Sel.Name
		}
	}
	return ""
}

func nameOf(f *ast.FuncDecl) string {
	if f.Recv == nil {
		return f.Name.Name
	}
	t := f.Recv.List[0].Type
	for {
		switch x := t.(type) {
		case *ast.StarExpr:
			t = x.X
		case *ast.IndexExpr:
			t = x.X
		case *ast.IndexListExpr:
			t = x.X
		case *ast.Ident:
			return x.Name + "." + f.Name.Name
		default:
			return f.Name.Name
		}
	}
}

// Sleeps returns where tests below dir sleep outside the bubble of a
// synctest.Test, in which time is simulated and sleeping costs nothing. A function
// that a bubble calls belongs into it, as a literal.
func Sleeps(dir string, files []string) ([]string, error) {
	var found []string
	for _, f := range files {
		if !strings.HasSuffix(f, "_test.go") {
			continue
		}
		_, at, err := calls(dir, f, "time.Sleep", "synctest.Test")
		if err != nil {
			return nil, err
		}
		for _, p := range at {
			found = append(found, fmt.Sprintf("%s:%d: a test waits for what happens, not for time to pass", f, p.Line))
		}
	}
	return found, nil
}

// RootContexts compares where the library makes a root context with what allowed
// says, a line each: file, function, and what bounds it. It returns what is not
// allowed and what is allowed in vain.
func RootContexts(dir string, files []string, allowed string) ([]string, error) {
	unused := map[place]bool{}
	for line := range strings.Lines(allowed) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		words := strings.Fields(line)
		if len(words) < 4 {
			return nil, fmt.Errorf("allowed contexts: %q is not a file, a function, and what bounds it", line)
		}
		unused[place{words[0], words[1]}] = true
	}
	allow := map[place]bool{}
	for p := range unused {
		allow[p] = true
	}
	var found []string
	for _, f := range files {
		places, at, err := calls(dir, f, "context.Background", "")
		if err != nil {
			return nil, err
		}
		for i, p := range places {
			delete(unused, p)
			if !allow[p] {
				found = append(found, fmt.Sprintf("%s:%d: context.Background in %s: take a context, or say in tools/guard/contexts.txt what bounds it", f, at[i].Line, p.function))
			}
		}
	}
	for p := range unused {
		found = append(found, fmt.Sprintf("contexts.txt allows %s a root context, which it does not make", p))
	}
	return found, nil
}

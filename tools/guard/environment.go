// Package guard holds checks of the source that need more than a search: they
// read types and calls.
package guard

import (
	"fmt"
	"slices"
	"strings"

	"golang.org/x/tools/go/packages"
	"golang.org/x/tools/go/ssa"
	"golang.org/x/tools/go/ssa/ssautil"
)

// environment are the functions that read the process's environment.
var environment = []string{"os.Getenv", "os.LookupEnv", "os.Environ", "os.ExpandEnv", "syscall.Getenv", "syscall.Environ"}

// EnvironmentAtImport loads the packages that match patterns below dir and
// returns one line for every way in which importing one of them (a package-level
// variable's initial value, or an init function) reaches a read of the
// environment through code of these packages.
//
// Calls are followed where they are static, and a function that is handed to
// another is taken as called by it: better one path too many than one too few.
// Exempt are sync.OnceFunc and its siblings, which call it later, and functions
// that are merely kept in a variable.
func EnvironmentAtImport(dir string, patterns ...string) ([]string, error) {
	pkgs, err := packages.Load(&packages.Config{
		Dir:  dir,
		Mode: packages.NeedName | packages.NeedFiles | packages.NeedCompiledGoFiles | packages.NeedImports | packages.NeedTypes | packages.NeedTypesSizes | packages.NeedSyntax | packages.NeedTypesInfo | packages.NeedDeps | packages.NeedExportFile,
	}, patterns...)
	if err != nil {
		return nil, fmt.Errorf("load %v: %w", patterns, err)
	}
	for _, p := range pkgs {
		for _, e := range p.Errors {
			return nil, fmt.Errorf("load %s: %w", p.PkgPath, e)
		}
	}
	_, built := ssautil.Packages(pkgs, 0)
	var found []string
	for _, p := range built {
		if p == nil {
			continue
		}
		p.Build()
	}
	for _, p := range built {
		if p == nil {
			continue
		}
		w := walk{seen: map[*ssa.Function]bool{}}
		w.follow(p.Func("init"), nil)
		found = append(found, w.found...)
	}
	slices.Sort(found)
	return slices.Compact(found), nil
}

type walk struct {
	seen  map[*ssa.Function]bool
	found []string
}

func (w *walk) follow(f *ssa.Function, path []string) {
	if f == nil || w.seen[f] {
		return
	}
	w.seen[f] = true
	path = append(slices.Clone(path), f.String())
	if slices.Contains(environment, f.String()) {
		w.found = append(w.found, strings.Join(path, " -> "))
		// Another way to the same function is worth a line of its own.
		delete(w.seen, f)
		return
	}
	for _, b := range f.Blocks {
		for _, in := range b.Instrs {
			call, ok := in.(ssa.CallInstruction)
			if !ok {
				continue
			}
			w.follow(call.Common().StaticCallee(), path)
			if callee := call.Common().StaticCallee(); callee != nil && strings.HasPrefix(callee.RelString(nil), "sync.Once") {
				continue
			}
			for _, arg := range call.Common().Args {
				switch v := arg.(type) {
				case *ssa.Function:
					w.follow(v, path)
				case *ssa.MakeClosure:
					w.follow(v.Fn.(*ssa.Function), path)
				}
			}
		}
	}
}

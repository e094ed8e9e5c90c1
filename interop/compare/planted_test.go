package compare_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"slices"
	"strings"
	"testing"

	"github.com/rollcall-go/micro/interop/compare"
)

// TestPlanted plants one difference of each kind and looks for its row.
func TestPlanted(t *testing.T) {
	const (
		old = `package registry
			const Limit = 5
			var Default = 5
			var Prefix string
			type Alias = string
			type Func func(int, ...string) error
			type Options struct { Addrs []string "json:\"addrs\""; Extra map[string]interface{} }
			type Registry interface { Register(s *Options, opts ...Func) error; String() string }
			type Value struct{}
			func (Value) Byte() {}
			func New(o ...Func) Registry { return nil }
		`
		without = ""
	)
	for _, tc := range []struct {
		name     string
		old, new string // replaced in the source; nothing planted where empty
		row      string
		verdict  compare.Verdict
	}{
		{name: "nothing", verdict: compare.Equal},
		{name: "any is interface{}", old: "interface{}", new: "any", verdict: compare.Equal},
		{name: "names of parameters", old: "s *Options, opts", new: "service *Options, o", verdict: compare.Equal},
		{name: "value of a constant", old: "Limit = 5", new: "Limit = 6", row: "registry.Limit", verdict: compare.Unexplained},
		{name: "type of a variable", old: "Default = 5", new: "Default = 5.0", row: "registry.Default", verdict: compare.Unexplained},
		{name: "variable made constant", old: "var Prefix string", new: `const Prefix string = ""`, row: "registry.Prefix", verdict: compare.Unexplained},
		{name: "alias", old: "Alias = string", new: "Alias string", row: "registry.Alias", verdict: compare.Unexplained},
		{name: "no longer variadic", old: "func(int, ...string)", new: "func(int, []string)", row: "registry.Func", verdict: compare.Unexplained},
		{name: "type of a field", old: "Addrs []string", new: "Addrs string", row: "registry.Options.Addrs", verdict: compare.Unexplained},
		{name: "tag of a field", old: `json:\"addrs\"`, new: `json:\"a\"`, row: "registry.Options.Addrs", verdict: compare.Unexplained},
		{name: "field left out", old: "Extra map[string]interface{}", new: without, row: "registry.Options.Extra", verdict: compare.Unexplained},
		{name: "method of an interface changed", old: "String() string", new: "String() error", row: "registry.Registry.String", verdict: compare.Unexplained},
		{name: "method of an interface added", old: "String() string", new: "String() string; Close() error", row: "registry.Registry.Close", verdict: compare.Unexplained},
		{name: "method of an interface left out", old: "; String() string", new: without, row: "registry.Registry.String", verdict: compare.Unexplained},
		{name: "receiver", old: "(Value)", new: "(*Value)", row: "registry.Value.Byte", verdict: compare.Unexplained},
		{name: "result of a function", old: "Registry { return nil }", new: "*Registry { return nil }", row: "registry.New", verdict: compare.Unexplained},
		{name: "function left out", old: "func New(o ...Func) Registry { return nil }", new: without, row: "registry.New", verdict: compare.Unexplained},
		{name: "explained", old: "Limit = 5", new: "Limit = 7", row: "registry.Limit", verdict: compare.Differs},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var reasons []compare.Reason
			if tc.verdict == compare.Differs {
				reasons = []compare.Reason{{Name: tc.row, Why: "planted"}}
			}
			changed := strings.Replace(old, tc.old, tc.new, 1)
			if tc.old != "" && changed == old {
				t.Fatalf("%q is not in the source", tc.old)
			}
			accounts, stale := compare.Compare(
				check(t, compare.Old+"/registry", old), check(t, compare.New+"/registry", changed),
				compare.Paths, reasons)
			if len(accounts) != 1 || len(stale) > 0 {
				t.Fatalf("%d accounts, stale %v", len(accounts), stale)
			}
			var found []compare.Row
			for _, r := range accounts[0].Rows {
				if r.Verdict != compare.Equal {
					found = append(found, r)
				}
			}
			if tc.verdict == compare.Equal {
				if len(found) > 0 {
					t.Errorf("found %+v, want nothing", found)
				}
				return
			}
			if len(found) != 1 || found[0].Name != tc.row || found[0].Verdict != tc.verdict {
				t.Errorf("found %+v, want one row %q, %s", found, tc.row, tc.verdict)
			}
		})
	}
}

// TestBringer looks for what will bring an identifier that names a package to
// come.
func TestBringer(t *testing.T) {
	auth := types.NewPackage(compare.Old+"/auth", "auth")
	token := types.NewNamed(types.NewTypeName(0, auth, "Auth", nil), types.NewStruct(nil, nil), nil)
	old := types.NewPackage(compare.Old+"/server", "server")
	old.Scope().Insert(types.NewVar(0, old, "DefaultAuth", token))
	ours := types.NewPackage(compare.New+"/server", "server")

	accounts, _ := compare.Compare(
		map[string]*types.Package{old.Path(): old}, map[string]*types.Package{ours.Path(): ours},
		[]compare.Path{{Old: "server"}, {Old: "auth", By: "auth"}}, nil)
	row := accounts[0].Rows[0]
	if row.Verdict != compare.Missing || row.Why != "auth" {
		t.Errorf("row %+v, want missing, comes with auth", row)
	}
}

func TestStaleReasons(t *testing.T) {
	const source = "package registry; const Limit = 5"
	_, stale := compare.Compare(check(t, compare.Old+"/registry", source), check(t, compare.New+"/registry", source),
		compare.Paths, []compare.Reason{{Name: "registry.Limit", Why: "it was 6"}})
	if !slices.Equal(stale, []string{"registry.Limit"}) {
		t.Errorf("stale %v, want the one that explains nothing", stale)
	}
}

// check returns the package that a source without imports is.
func check(t *testing.T, path, source string) map[string]*types.Package {
	t.Helper()
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, "planted.go", source, 0)
	if err != nil {
		t.Fatal(err)
	}
	p, err := new(types.Config).Check(path, fset, []*ast.File{f}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return map[string]*types.Package{path: p}
}

package compare

import (
	"go/types"
	"maps"
	"slices"
	"strings"
)

const (
	// Old and New are the prefixes of the two modules' import paths.
	Old = "github.com/micro/go-micro/v2"
	New = "github.com/rollcall-go/micro"
)

// Verdict says what became of an identifier of v2.
type Verdict string

// The verdicts. A row with the last one has no account.
const (
	Equal       Verdict = "equal"
	Differs     Verdict = "differs"
	Missing     Verdict = "missing"
	Unexplained Verdict = "UNEXPLAINED"
)

// Row accounts for one identifier of v2.
type Row struct {
	// Name is the package below v2's root and the identifier, as in
	// "registry.Options.Addrs".
	Name    string
	Verdict Verdict
	// Old and New are the signatures. New is empty where there is none.
	Old, New string
	// Why is the reason for a difference, or what brings what is missing.
	Why string
}

// Account is the comparison of two packages.
type Account struct {
	Path Path
	Rows []Row
	// Added are identifiers that v2 does not have.
	Added []string
}

// Compare accounts for the packages that are on both sides of the table of paths.
// It returns the names of reasons that no row needs beside the accounts.
func Compare(old, ours map[string]*types.Package, paths []Path, reasons []Reason) (accounts []Account, stale []string) {
	c := comparer{paths: paths, reasons: reasons, used: make([]bool, len(reasons))}
	for _, p := range paths {
		before, after := old[p.old()], ours[p.new()]
		if p.here() && before != nil && after != nil {
			accounts = append(accounts, c.account(p, before, after))
		}
	}
	for i, used := range c.used {
		if !used {
			stale = append(stale, reasons[i].Name)
		}
	}
	return accounts, stale
}

type comparer struct {
	paths   []Path
	reasons []Reason
	used    []bool
}

func (c *comparer) account(p Path, before, after *types.Package) Account {
	old := shapeOf(before, func(path string) string { return homeOf(c.paths, path) })
	ours := shapeOf(after, func(path string) string { return path })
	a := Account{Path: p}
	for _, name := range slices.Sorted(maps.Keys(old)) {
		a.Rows = append(a.Rows, c.judge(Row{Name: p.name() + "." + name, Old: old[name], New: ours[name]}))
	}
	for _, name := range slices.Sorted(maps.Keys(ours)) {
		if _, ok := old[name]; ok {
			continue
		}
		a.Added = append(a.Added, name)
		// Programs implement v2's interfaces: one method more breaks them.
		owner, _, _ := strings.Cut(name, ".")
		if old[owner] == "type interface" && strings.HasPrefix(ours[name], "method") {
			a.Rows = append(a.Rows, c.judge(Row{Name: p.name() + "." + name, New: ours[name]}))
		}
	}
	return a
}

// judge gives a row its verdict.
func (c *comparer) judge(r Row) Row {
	if r.Old == r.New {
		r.Verdict = Equal
		return r
	}
	for i, reason := range c.reasons {
		if !reason.covers(r.Name) {
			continue
		}
		c.used[i] = true
		switch {
		case reason.By != "" && r.New == "":
			r.Verdict, r.Why = Missing, reason.By
			return r
		case reason.Why != "":
			r.Verdict, r.Why = Differs, reason.Why
			return r
		}
	}
	// What names a type of a package that is not there comes with that package.
	if by := bringer(c.paths, r.Old); by != "" && r.New == "" {
		r.Verdict, r.Why = Missing, by
		return r
	}
	r.Verdict = Unexplained
	return r
}

package compare

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// Report writes the account. The packages of v2 that are not compared are rows of
// their own; unplaced are those that the table of paths does not know.
func Report(out io.Writer, accounts []Account, packages []string, paths []Path) error {
	w := &report{}
	w.line("# The types of go-micro v2.9.1, beside those of this module\n")
	w.line("Written by `go test ./compare -update` in `interop/`; the test without the flag fails when this file is not what it finds.")
	w.line("Signatures are compared without the names of parameters, with `%s` read as `%s`", Old, New)
	w.line("and `github.com/micro/cli/v2` as `github.com/urfave/cli/v2`. In the tables both modules' prefixes are left out.\n")
	w.summary(accounts)
	w.rows(accounts, Unexplained, "Without an account", "reason")
	w.rows(accounts, Differs, "Different, and why", "why")
	w.rows(accounts, Missing, "Missing, and what brings it", "comes with")
	w.packages(packages, paths)
	w.names(accounts)
	_, err := io.WriteString(out, w.text.String())
	return err
}

type report struct{ text strings.Builder }

func (w *report) line(format string, args ...any) {
	fmt.Fprintf(&w.text, format+"\n", args...)
}

func (w *report) summary(accounts []Account) {
	w.line("| package | home | equal | different | missing | added here |\n|---|---|--:|--:|--:|--:|")
	sum := make(map[Verdict]int)
	added := 0
	for _, a := range accounts {
		n := make(map[Verdict]int)
		for _, r := range a.Rows {
			n[r.Verdict]++
			sum[r.Verdict]++
		}
		added += len(a.Added)
		w.line("| %s | %s | %d | %d | %d | %d |", a.Path.name(), short(a.Path.new()), n[Equal], n[Differs], n[Missing], len(a.Added))
	}
	w.line("| all | | %d | %d | %d | %d |\n", sum[Equal], sum[Differs], sum[Missing], added)
}

func (w *report) rows(accounts []Account, v Verdict, title, column string) {
	var table []string
	for _, a := range accounts {
		for _, r := range a.Rows {
			if r.Verdict != v {
				continue
			}
			signatures := code(r.Old)
			if v != Missing {
				signatures += " | " + code(r.New)
			}
			table = append(table, fmt.Sprintf("| %s | %s | %s |", r.Name, signatures, r.Why))
		}
	}
	if len(table) == 0 {
		return
	}
	w.line("## %s\n", title)
	if v == Missing {
		w.line("| identifier | in v2 | %s |\n|---|---|---|", column)
	} else {
		w.line("| identifier | in v2 | here | %s |\n|---|---|---|---|", column)
	}
	w.line("%s\n", strings.Join(table, "\n"))
}

// packages writes one row for each package of v2 that is not compared, and one for those
// below it that stay out for the same reason.
func (w *report) packages(packages []string, paths []Path) {
	var coming, absent []string
	for _, path := range packages {
		p, ok := find(paths, path)
		switch {
		case !ok:
			coming = append(coming, fmt.Sprintf("| %s | | %s |", short(path), Unexplained))
		case p.By != "":
			base, _ := strings.CutSuffix(p.Old, "/...")
			home := short(path)
			if p.New != "" {
				home = p.New + strings.TrimPrefix(home, base)
			}
			coming = append(coming, fmt.Sprintf("| %s | %s | %s |", short(path), home, p.By))
		case p.Why != "":
			absent = append(absent, fmt.Sprintf("| %s | %s |", p.Old, p.Why))
		}
	}
	if len(coming) > 0 {
		w.line("## Packages to come\n\n| package of v2 | home | comes with |\n|---|---|---|\n%s\n", strings.Join(coming, "\n"))
	}
	w.line("## Packages that stay out\n\n| package of v2 | what it was, and what to take instead |\n|---|---|\n%s\n", strings.Join(slices.Compact(absent), "\n"))
}

// names lists what is equal, and what is added.
func (w *report) names(accounts []Account) {
	w.line("## Equal\n")
	for _, a := range accounts {
		var equal []string
		for _, r := range a.Rows {
			if r.Verdict == Equal {
				equal = append(equal, strings.TrimPrefix(r.Name, a.Path.name()+"."))
			}
		}
		w.line("**%s**: %s\n", a.Path.name(), strings.Join(equal, ", "))
	}
	w.line("## Added here\n")
	for _, a := range accounts {
		if len(a.Added) > 0 {
			w.line("**%s**: %s\n", a.Path.name(), strings.Join(a.Added, ", "))
		}
	}
}

// code writes a signature into a cell.
func code(signature string) string {
	if signature == "" {
		return ""
	}
	return "`" + strings.NewReplacer("|", "\\|", "`", "'").Replace(short(signature)) + "`"
}

// short leaves the modules' prefixes out.
func short(text string) string {
	return strings.NewReplacer(Old+"/", "", New+"/", "", Old, "micro", New, "micro").Replace(text)
}

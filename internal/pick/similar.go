package pick

import (
	"cmp"
	"slices"
	"strings"
)

// suggestions is the most names that are suggested.
const suggestions = 3

// similar returns the names that come nearest to name, nearest first: those that
// a few slips of the pen make of it, and those that differ by a dotted prefix.
func similar(name string, names []string) []string {
	type near struct {
		name  string
		slips int
	}
	limit := max(1, len(name)/4)
	var found []near
	for _, n := range names {
		switch slips := distance(name, n, limit); {
		case n == name:
		case slips <= limit:
			found = append(found, near{n, slips})
		case strings.HasSuffix(n, "."+name) || strings.HasSuffix(name, "."+n):
			found = append(found, near{n, limit + 1})
		}
	}
	slices.SortFunc(found, func(a, b near) int {
		return cmp.Or(cmp.Compare(a.slips, b.slips), strings.Compare(a.name, b.name))
	})
	out := make([]string, 0, suggestions)
	for _, f := range found[:min(len(found), suggestions)] {
		out = append(out, f.name)
	}
	return out
}

// distance returns how many letters must be added, dropped or replaced to make b
// of a, or limit + 1 if the lengths alone exceed the limit.
func distance(a, b string, limit int) int {
	x, y := []rune(a), []rune(b)
	if len(x)-len(y) > limit || len(y)-len(x) > limit {
		return limit + 1
	}
	row := make([]int, len(y)+1)
	for j := range row {
		row[j] = j
	}
	for i := range x {
		diagonal := row[0]
		row[0] = i + 1
		for j := range y {
			replace := diagonal
			if x[i] != y[j] {
				replace++
			}
			diagonal = row[j+1]
			row[j+1] = min(replace, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(y)]
}

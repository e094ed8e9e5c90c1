// Package similar finds what somebody probably meant who mistyped a name.
package similar

import (
	"cmp"
	"slices"
	"strings"
)

// Nearest returns the name that differs least from given, "" if none is near
// enough for the difference to be a slip of the hand.
func Nearest(given string, names []string) string {
	best, least := "", slips(given)+1
	for _, n := range names {
		if d := distance(given, n); d < least {
			best, least = n, d
		}
	}
	return best
}

// most is how many services are suggested at most.
const most = 3

// Services returns the names of services that may have been meant, nearest first:
// those that Nearest could return, and those that differ by a dotted prefix, such
// as greeter and go.micro.service.greeter. The given name is not among them.
func Services(given string, names []string) []string {
	limit := slips(given)
	var found []near
	for _, n := range names {
		switch {
		case n == given:
		case strings.HasSuffix(n, "."+given) || strings.HasSuffix(given, "."+n):
			found = append(found, near{n, limit + 1})
		case max(len(n)-len(given), len(given)-len(n)) > limit: // cannot be nearer
		default:
			if d := distance(given, n); d <= limit {
				found = append(found, near{n, d})
			}
		}
	}
	return nearest(found, most)
}

// near is a name with how much it differs from what was given.
type near struct {
	name     string
	distance int
}

// nearest returns the first n names of those found, nearest first.
func nearest(found []near, n int) []string {
	slices.SortFunc(found, func(a, b near) int {
		return cmp.Or(cmp.Compare(a.distance, b.distance), strings.Compare(a.name, b.name))
	})
	var out []string
	for _, f := range found[:min(len(found), n)] {
		out = append(out, f.name)
	}
	return out
}

// slips is how much may differ by a slip of the hand.
func slips(given string) int { return min(len(given)/2, 3) }

// distance is the Levenshtein distance of a and b, in bytes.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, diagonal+1, row[j]+1)
		}
	}
	return row[len(b)]
}

// Closest returns the n names that differ least from given, nearest first, however
// much they differ.
func Closest(given string, names []string, n int) []string {
	all := make([]near, len(names))
	for i, name := range names {
		all[i] = near{name, distance(given, name)}
	}
	return nearest(all, n)
}

package center

import (
	"cmp"
	"strconv"
	"strings"
)

// compareVersions compares versions by Semantic Versioning 2.0.0; a "v" before them, and
// fewer or more numbers than three, are as good. It reports false if one is none.
func compareVersions(a, b string) (int, bool) {
	an, ap, ok := parseVersion(a)
	bn, bp, okB := parseVersion(b)
	if !ok || !okB {
		return 0, false
	}
	for i := range max(len(an), len(bn)) {
		var x, y uint64
		if i < len(an) {
			x = an[i]
		}
		if i < len(bn) {
			y = bn[i]
		}
		if x != y {
			return cmp.Compare(x, y), true
		}
	}
	switch {
	case ap == "" || bp == "": // what has no pre-release is newer
		return cmp.Compare(len(bp), len(ap)), true
	}
	as, bs := strings.Split(ap, "."), strings.Split(bp, ".")
	for i := range min(len(as), len(bs)) {
		x, errX := strconv.ParseUint(as[i], 10, 64)
		y, errY := strconv.ParseUint(bs[i], 10, 64)
		n := strings.Compare(as[i], bs[i])
		switch {
		case errX == nil && errY == nil:
			n = cmp.Compare(x, y)
		case errX == nil:
			n = -1 // numbers come before words
		case errY == nil:
			n = 1
		}
		if n != 0 {
			return n, true
		}
	}
	return cmp.Compare(len(as), len(bs)), true
}

// parseVersion splits a version into its numbers and what makes it a pre-release.
func parseVersion(text string) (numbers []uint64, pre string, ok bool) {
	text, _, _ = strings.Cut(strings.TrimPrefix(text, "v"), "+")
	text, pre, _ = strings.Cut(text, "-")
	for _, part := range strings.Split(text, ".") {
		n, err := strconv.ParseUint(part, 10, 64)
		if err != nil {
			return nil, "", false
		}
		numbers = append(numbers, n)
	}
	return numbers, pre, true
}

// Package excerpt shortens texts that come from outside, so that answers and log lines
// do not grow with them.
package excerpt

import (
	"fmt"
	"unicode/utf8"
)

// Of returns s, or the beginning of it and its length where it is longer than limit, which
// is a number of bytes, at least utf8.UTFMax.
func Of(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	end := limit
	for end > limit-utf8.UTFMax && !utf8.RuneStart(s[end]) {
		end--
	}
	return fmt.Sprintf("%s... (%d bytes)", s[:end], len(s))
}

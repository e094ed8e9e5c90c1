package metadata

import (
	"strings"
	"unicode"
)

// title returns s with the first letter of each word in upper case, the rest as
// it is. A key that has this form already costs no memory.
func title(s string) string {
	prev := ' '
	return strings.Map(func(r rune) rune {
		start := separates(prev)
		prev = r
		if start {
			return unicode.ToTitle(r)
		}
		return r
	}, s)
}

// separates reports whether a word may start behind r: letters, digits and the
// underscore are part of a word, and so is what is not ASCII, blanks excepted.
func separates(r rune) bool {
	switch {
	case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9', r == '_':
		return false
	case r < unicode.MaxASCII:
		return true
	default:
		return unicode.IsSpace(r)
	}
}

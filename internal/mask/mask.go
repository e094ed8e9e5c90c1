// Package mask keeps what a text holds out of the errors of those who cannot read it:
// errors go into logs, and a password that somebody forgot to quote must not.
package mask

import (
	"errors"
	"regexp"
)

// content is what parsers repeat of their input: what stands in quotes, from the first
// to the last of a kind, for there may be quotes in it; names and entities without
// quotes; long numbers.
var content = regexp.MustCompile("`.*`|'.*'|\".*\"|IDENT .*|&[^ ]+|value: .*|[0-9]{5,}[^ ]*")

// Content returns err with each piece that it repeats of its input replaced by "...",
// but not a single character, which often is what a parser expects. The errors below
// err are gone.
func Content(err error) error {
	return errors.New(content.ReplaceAllStringFunc(err.Error(), func(piece string) string {
		const quoted = 4 // a character in quotes, or an escaped one
		if len(piece) <= quoted && piece[0] != '&' {
			return piece
		}
		return "..."
	}))
}

package schema

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Violation is one rule that a document does not keep.
type Violation struct {
	// Path is where in the document, parts with a "/" between them, "" for the whole. In
	// a part "~1" is a "/" and "~0" a "~".
	Path string `json:"path"`
	// Rule is the keyword of the schema, as in "minimum".
	Rule string `json:"rule"`
	// At is where in the schema the keyword stands, as in "#/properties/port".
	At string `json:"at"`
	// Text says what was found and what is wanted. The value itself is left out if the
	// schema says about it, or about what it is a part of, writeOnly, or has for it the
	// format "secret".
	Text string `json:"text"`
}

// Parts returns the parts of the path.
func (v Violation) Parts() []string {
	if v.Path == "" {
		return nil
	}
	parts := strings.Split(v.Path, "/")
	plain := strings.NewReplacer("~1", "/", "~0", "~")
	for i := range parts {
		parts[i] = plain.Replace(parts[i])
	}
	return parts
}

// Join spells a path as Violation has it.
func Join(parts []string) string {
	escape := strings.NewReplacer("~", "~0", "/", "~1")
	escaped := make([]string, len(parts))
	for i, part := range parts {
		escaped[i] = escape.Replace(part)
	}
	return strings.Join(escaped, "/")
}

// String is one line.
func (v Violation) String() string {
	path := v.Path
	if path == "" {
		path = "the value"
	} else if quoted := strconv.Quote(path); quoted != `"`+path+`"` {
		path = quoted
	}
	return fmt.Sprintf("%s: %s: %s", path, v.Rule, v.Text)
}

// maxTold is how many violations an Error has at most.
const maxTold = 100

// Error says that a document violates a schema.
type Error struct {
	Violations []Violation // at least one, by path, and at most 100
	More       int         // how many there are beside
}

// Error implements error.
func (e *Error) Error() string {
	const most = 5
	lines := make([]string, 0, most)
	for _, v := range e.Violations[:min(most, len(e.Violations))] {
		lines = append(lines, v.String())
	}
	text := strings.Join(lines, "; ")
	if n := len(e.Violations) + e.More - len(lines); n > 0 {
		text += fmt.Sprintf("; and %d more", n)
	}
	return text
}

func asError(all []Violation) error {
	if len(all) == 0 {
		return nil
	}
	slices.SortFunc(all, func(a, b Violation) int {
		return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.At, b.At), cmp.Compare(a.Text, b.Text))
	})
	all = slices.Compact(all)
	e := &Error{Violations: all}
	if n := len(all) - maxTold; n > 0 {
		e.Violations, e.More = all[:maxTold], n
	}
	return e
}

package deflated

import "fmt"

const (
	// maxDepth is how deep the JSON of a record may be nested. A record may describe
	// messages 32 levels deep, each of which takes two.
	maxDepth = 80
	// maxParts is how many elements the JSON of a record may have, of objects and
	// lists together. A megabyte of it that describes messages has less.
	maxParts = 100_000
)

// Shape counts, before anything is made of it, what the JSON of a record would become.
// The zero value is ready.
type Shape struct{ parts int }

// Add returns an error if a record with this JSON beside that of the calls before would
// have more elements, or deeper ones, than readers take. It need not be valid JSON: that
// is found out later.
func (s *Shape) Add(text []byte) error {
	depth := 0
	quoted, escaped := false, false
	for _, c := range text {
		switch {
		case escaped:
			escaped = false
		case quoted:
			escaped = c == '\\'
			quoted = c != '"'
		case c == '"':
			quoted = true
		case c == '{' || c == '[':
			depth++
			s.parts++
		case c == '}' || c == ']':
			depth--
		case c == ',':
			s.parts++
		}
		if depth > maxDepth {
			return fmt.Errorf("its JSON is nested deeper than %d", maxDepth)
		}
		if s.parts > maxParts {
			return fmt.Errorf("its JSON has more than %d elements", maxParts)
		}
	}
	return nil
}

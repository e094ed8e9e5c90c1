package txt

import (
	"encoding/json"
	"errors"
	"fmt"
)

const (
	// maxDepth is how deep the JSON of a record may be nested. A record may describe
	// messages 32 levels deep, each of which takes two.
	maxDepth = 80
	// maxParts is how many elements the JSON of a record may have, of objects and
	// lists together. A record as long as MaxJSON that describes messages has less.
	maxParts = 100_000
)

// checkShape counts, before anything is made of it, what JSON would become. It need
// not be valid JSON: that is found out later.
func checkShape(text []byte) error {
	depth, parts := 0, 0
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
			parts++
		case c == '}' || c == ']':
			depth--
		case c == ',':
			parts++
		}
		if depth > maxDepth {
			return fmt.Errorf("its JSON is nested deeper than %d", maxDepth)
		}
		if parts > maxParts {
			return fmt.Errorf("its JSON has more than %d elements", maxParts)
		}
	}
	return nil
}

// clean returns what is wrong with JSON, without what stands in it: that is a
// stranger's.
func clean(err error) error {
	var shape *json.UnmarshalTypeError
	var syntax *json.SyntaxError
	switch {
	case errors.As(err, &shape):
		return fmt.Errorf("at byte %d is a value of another type", shape.Offset)
	case errors.As(err, &syntax):
		return fmt.Errorf("at byte %d is what JSON does not have there", syntax.Offset)
	}
	return errors.New("it cannot be read")
}

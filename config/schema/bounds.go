package schema

import (
	stdjson "encoding/json"
	"fmt"
	"regexp"
	"regexp/syntax"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// What a schema may be.
const (
	maxBytes   = 256 << 10
	maxDepth   = 128    // levels of its text
	maxValues  = 20_000 // values in its text
	maxList    = 2_000  // elements of one list
	maxRefs    = 1_000  // references, and names for them
	maxPattern = 5_000  // instructions of one regular expression
	maxInPlace = 128    // schemas that judge one value because of one another
)

// checkSize returns why a schema is more than can be judged by.
func checkSize(doc any) error {
	values, refs := 0, 0
	var walk func(v any, depth int) error
	walk = func(v any, depth int) error {
		if values++; values > maxValues {
			return fmt.Errorf("it has more than %d values", maxValues)
		}
		if depth > maxDepth {
			return fmt.Errorf("it has more than %d levels", maxDepth)
		}
		switch v := v.(type) {
		case stdjson.Number:
			return checkNumber(v)
		case []any:
			if len(v) > maxList {
				return fmt.Errorf("a list in it has %d elements, and at most %d are taken", len(v), maxList)
			}
			for _, one := range v {
				if err := walk(one, depth+1); err != nil {
					return err
				}
			}
		case map[string]any:
			for name, one := range v {
				if strings.HasPrefix(name, "$") || name == "id" {
					refs++
				}
				if err := walk(one, depth+1); err != nil {
					return err
				}
			}
			if refs > maxRefs {
				return fmt.Errorf("it has more than %d references and names for them", maxRefs)
			}
		}
		return nil
	}
	return walk(doc, 1)
}

// checkNumber returns why a number cannot be calculated with: to write it out would take
// long.
func checkNumber(n stdjson.Number) error {
	_, exponent, _ := strings.Cut(strings.ToLower(n.String()), "e")
	if exponent = strings.TrimLeft(exponent, "+-0"); len(n) > 400 || len(exponent) > 3 {
		return fmt.Errorf("the number %.20s... has more digits than can be judged", n)
	}
	return nil
}

// pattern is a regular expression and how much it costs.
type pattern struct {
	*regexp.Regexp
	instructions int
}

// compilePattern implements jsonschema.RegexpEngine. Go's regular expressions take time
// in proportion to the text and to their own instructions, of which repetitions make
// many.
func compilePattern(text string) (jsonschema.Regexp, error) {
	parsed, err := syntax.Parse(text, syntax.Perl)
	if err != nil {
		return nil, err
	}
	program, err := syntax.Compile(parsed.Simplify())
	if err != nil {
		return nil, err
	}
	if n := len(program.Inst); n > maxPattern {
		return nil, fmt.Errorf("it has %d steps when it is written out, and at most %d are taken", n, maxPattern)
	}
	compiled, err := regexp.Compile(text)
	if err != nil {
		return nil, err
	}
	return pattern{compiled, len(program.Inst)}, nil
}

// matchCost is how many steps it may take to match text.
func matchCost(r jsonschema.Regexp, text string) float64 {
	p, ok := r.(pattern)
	if !ok {
		return 0
	}
	return float64(p.instructions) * float64(len(text)+1) / 16
}

package lint

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"strings"

	format "github.com/rollcall-go/micro/config/encoder/json"
	"github.com/rollcall-go/micro/internal/keytree"
)

// CheckValue returns why readers, v2's or ours, would not take a value.
func CheckValue(key, value string) error {
	reader := keytree.NewView(keytree.Keys{Strip: true}, format.NewEncoder())
	if err := reader.Put(key, []byte(value), 1); err != nil {
		if json.Valid([]byte(value)) {
			return err
		}
		return fmt.Errorf("the value is not JSON (a text stands in quotes, as in '\"hello\"'): %w", err)
	}
	if !json.Valid([]byte(value)) {
		return errors.New("the value is not JSON: line 1, column 1: a byte order mark, which go-micro v2 does not read")
	}
	return nil
}

// odd is something in a value that readers see otherwise than it is written.
type odd struct {
	path string // in the value
	text string
}

// twice returns the fields that stand twice in an object of a value, with their places.
func twice(value string) []odd {
	var found []odd
	walk(value, func(path []string, token json.Token, again bool, offset int64) {
		if again {
			line, column := place(value, offset)
			found = append(found, odd{join(path), fmt.Sprintf("line %d, column %d: the field %q stands twice in one object", line, column, token)})
		}
	})
	return found
}

// CheckOnce returns the first field that stands twice in an object of a JSON text, with
// its path and place, or nil. It is a slip of its writer, of which readers take the last.
func CheckOnce(text string) error {
	if found := twice(text); len(found) > 0 {
		return fmt.Errorf("%w: take one of the two out", found[0].error())
	}
	return nil
}

// rounded returns the numbers of which go-micro v2, which takes each for a float64,
// makes others.
func rounded(value string) []odd {
	var found []odd
	walk(value, func(path []string, token json.Token, _ bool, offset int64) {
		n, ok := token.(json.Number)
		if !ok || len(n) < 16 || len(n) > 400 || strings.ContainsAny(n.String(), ".eE") {
			return
		}
		exact, ok := new(big.Int).SetString(n.String(), 10)
		if !ok {
			return
		}
		if _, accuracy := new(big.Float).SetInt(exact).Float64(); accuracy != big.Exact {
			line, column := place(value, offset)
			found = append(found, odd{join(path), fmt.Sprintf("line %d, column %d: go-micro v2 rounds the number to 53 bits", line, column)})
		}
	})
	return found
}

// walk calls f for each name and each value that is no list and no object, with its path
// in the document and the byte at which it begins. again says that it is a name that the object has already. A text that
// is not JSON is walked as far as it is.
func walk(text string, f func(path []string, token json.Token, again bool, offset int64)) {
	text = strings.TrimPrefix(text, "\xef\xbb\xbf")
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	type level struct {
		names map[string]bool // nil in a list
		count int
		value bool // a name was read, its value comes next
	}
	var levels []level
	var path []string
	for {
		start := decoder.InputOffset()
		token, err := decoder.Token()
		if err != nil {
			return
		}
		start += int64(len(text[start:]) - len(strings.TrimLeft(text[start:], " \t\r\n,:")))
		if end := token == json.Delim('}') || token == json.Delim(']'); end {
			levels = levels[:len(levels)-1]
			path = path[:max(0, len(path)-1)]
			continue
		}
		if n := len(levels); n > 0 {
			in := &levels[n-1]
			if name, ok := token.(string); ok && in.names != nil && !in.value {
				in.value = true
				path = append(path[:n-1], name)
				f(path, token, in.names[name], start)
				in.names[name] = true
				continue
			}
			if in.value = false; in.names == nil {
				path = append(path[:n-1], fmt.Sprint(in.count))
				in.count++
			}
		}
		switch token {
		case json.Delim('{'):
			levels = append(levels, level{names: make(map[string]bool)})
		case json.Delim('['):
			levels = append(levels, level{})
		default:
			f(path, token, false, start)
		}
	}
}

// place returns line and column of the byte at offset, counted from 1.
func place(text string, offset int64) (line, column int) {
	before := text[:offset]
	return strings.Count(before, "\n") + 1, len(before) - strings.LastIndexByte(before, '\n')
}

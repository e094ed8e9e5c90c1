package secret

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Found is a sealed value that stands in the value of a key.
type Found struct {
	// Field is where it stands in the value, its parts joined by "/", "" if it is all of
	// it.
	Field string
	// Place is what it has to be sealed for to be opened.
	Place string
	// KeyID is the id of the key that it is sealed for, "" if it is damaged.
	KeyID string

	sealed string
}

// Find returns the sealed values in the value of a key, which is JSON, in the order of
// their fields. In what is no JSON there are none.
func Find(key, value string) []Found {
	var document any
	if json.Unmarshal([]byte(value), &document) != nil {
		return nil
	}
	var all []Found
	walk(document, nil, nil, func(at, path []string, sealed string) (any, bool) {
		place := Place(append(strings.Split(key, "/"), path...)...)
		all = append(all, Found{strings.Join(at, "/"), place, KeyID(sealed), sealed})
		return sealed, true
	})
	slices.SortFunc(all, func(a, b Found) int { return strings.Compare(a.Field, b.Field) })
	return all
}

// Open returns the value, JSON.
func (f Found) Open(k *Keys) ([]byte, error) { return k.Open(f.Place, f.sealed) }

// Damaged reports whether it can be opened by nobody, whatever the key is, as one that was
// cut short. What was changed and has its length still is told by Open alone.
func (f Found) Damaged() bool { return damaged(f.sealed) }

// Left is a sealed value that could not be sealed anew.
type Left struct {
	Found
	Err error
}

// Reseal returns the value of a key with all that is sealed in it sealed for another
// key, and nothing else changed. What cannot be opened is left as it is.
func Reseal(key, value string, keys *Keys, to PublicKey) (next string, left []Left) {
	for _, f := range Find(key, value) {
		if f.KeyID == to.ID() {
			continue
		}
		text, err := f.Open(keys)
		if err != nil {
			left = append(left, Left{f, err})
			continue
		}
		again, err := to.Seal(f.Place, text)
		if err == nil && !strings.Contains(value, strconv.Quote(f.sealed)) {
			err = fmt.Errorf("seal %q anew: it is not spelled as it was written: set it again", f.Place)
		}
		if err != nil {
			left = append(left, Left{f, err})
			continue
		}
		value = strings.ReplaceAll(value, strconv.Quote(f.sealed), strconv.Quote(again))
	}
	return value, left
}

// Reveal returns the value of a key, JSON, with what is sealed in it open.
func Reveal(key, value string, keys *Keys) (string, error) {
	for _, f := range Find(key, value) {
		text, err := f.Open(keys)
		if err != nil {
			return "", fmt.Errorf("field %q: %w", f.Field, err)
		}
		value = strings.ReplaceAll(value, strconv.Quote(f.sealed), string(text))
	}
	return value, nil
}

// walk calls f for each sealed value in v, and puts what f returns in its place, unless
// that reports false: then nothing stands there. at tells a value apart, path does not
// tell the elements of a list apart.
func walk(v any, at, path []string, f func(at, path []string, sealed string) (any, bool)) (any, bool) {
	switch v := v.(type) {
	case map[string]any:
		for name, field := range v {
			next, ok := walk(field, with(at, name), with(path, name), f)
			if v[name] = next; !ok {
				delete(v, name)
			}
		}
	case []any:
		for i, one := range v {
			v[i], _ = walk(one, with(at, strconv.Itoa(i)), path, f)
		}
	case string:
		if Is(v) {
			return f(at, path, v)
		}
	}
	return v, true
}

// with returns a path with one part more, which shares nothing with it.
func with(path []string, part string) []string { return append(slices.Clip(path), part) }

package center

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	format "github.com/rollcall-go/micro/config/encoder/json"
	"github.com/rollcall-go/micro/internal/keytree"
)

// checkKey returns why a key cannot be one. A schema may be for every key there is: its
// own is empty then.
func checkKey(kind Kind, key string) error {
	parts := strings.Split(key, "/")
	switch {
	case key == "" && kind == KindSchema:
		return nil
	case key == "":
		return errors.New("the key is empty")
	case !utf8.ValidString(key):
		return errors.New("the key is not UTF-8")
	case strings.ContainsFunc(key, func(r rune) bool { return !unicode.IsPrint(r) }):
		return errors.New("the key has a control character, or one that cannot be seen")
	case key[0] == '/':
		return errors.New(`the key begins with "/": give what stands behind /micro/config/, as in database/port`)
	case strings.HasSuffix(key, "/"):
		return errors.New(`the key ends with "/"`)
	case slices.Contains(parts, ""):
		return errors.New(`the key has "//"`)
	case slices.Contains(parts, ".") || slices.Contains(parts, ".."):
		return errors.New(`a part of the key is "." or ".."`)
	}
	return nil
}

// check returns why changes cannot be made of what there is.
func check(changes []Change, s state) error {
	after := make(map[string]bool)
	for i := range s.items {
		if i.kind == KindValue {
			after[i.key] = true
		}
	}
	for _, change := range changes {
		if change.Kind != KindValue {
			continue
		}
		if delete(after, change.Key); change.After != nil {
			after[change.Key] = true
		}
	}
	keys := slices.Sorted(maps.Keys(after))
	for _, change := range changes {
		if change.After == nil {
			continue
		}
		err := checkValue(change.Key, *change.After)
		if err == nil && change.Kind == KindValue {
			err = checkPlace(change.Key, keys)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", change.item(), err)
		}
	}
	return nil
}

// checkValue returns why readers, v2's or ours, would not take a value.
func checkValue(key, value string) error {
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

// checkPlace returns why a key cannot stand among the others, which are sorted: v2
// replaces what lies below a key by the key's own value, or the other way round.
func checkPlace(key string, others []string) error {
	for i := range key {
		if key[i] != '/' {
			continue
		}
		if _, found := slices.BinarySearch(others, key[:i]); found {
			return fmt.Errorf("the key %q has a value, and go-micro v2 would lose one of the two: put it into that value, or delete that key in the same release", key[:i])
		}
	}
	below := key + "/"
	i, _ := slices.BinarySearch(others, below)
	if i < len(others) && strings.HasPrefix(others[i], below) {
		return fmt.Errorf("there are keys below it, such as %q, and go-micro v2 would lose them: delete those in the same release, or change them one by one", others[i])
	}
	return nil
}

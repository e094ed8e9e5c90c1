package lint

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// CheckKey returns why a key cannot be one.
func CheckKey(key string) error {
	parts := strings.Split(key, "/")
	switch {
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
	case slices.ContainsFunc(parts, func(part string) bool { return strings.TrimSpace(part) != part }):
		return errors.New("a part of the key begins or ends with a space, which nobody sees")
	}
	return nil
}

// CheckPlace returns why a key cannot stand among the others, which are sorted: v2
// replaces what lies below a key by the key's own value, or the other way round.
func CheckPlace(key string, others []string) error {
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

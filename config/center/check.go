package center

import (
	"fmt"
	"maps"
	"slices"

	"github.com/rollcall-go/micro/config/schema"
	"github.com/rollcall-go/micro/internal/lint"
)

// checkKey returns why a key cannot be one. A schema may be for every key there is: its
// own is empty then.
func checkKey(kind Kind, key string) error {
	if key == "" && kind == KindSchema {
		return nil
	}
	return lint.CheckKey(key)
}

// checkText returns why a value cannot take the place of another one, nil if there is none.
func checkText(key, value string, before *string) error {
	if err := lint.CheckValue(key, value); err != nil {
		return err
	}
	return lint.CheckWriting(key, value, before)
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
		err := checkText(change.Key, *change.After, change.Before)
		switch {
		case err != nil:
		case change.Kind == KindValue:
			err = lint.CheckPlace(change.Key, keys)
		case change.Kind == KindSchema:
			_, err = schema.Compile([]byte(*change.After))
		}
		if err != nil {
			return fmt.Errorf("%s: %w", change.item(), err)
		}
	}
	return nil
}

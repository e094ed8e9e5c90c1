package center

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/rollcall-go/micro/internal/gray"
)

// checkGrays returns why the grays among the changes cannot be made: services would not
// take one, or two would have one key. What was there once may come back as it was.
func (p *Preview) checkGrays(ctx context.Context) error {
	if p.draft.restores != 0 {
		return nil
	}
	var all Tree // the grays that there would be
	for _, change := range p.changes {
		if change.Kind != KindGray || change.After == nil {
			continue
		}
		r, err := gray.Decode([]byte(*change.After))
		if err == nil {
			err = checkGray(change.Key, r, valuesOf(change.Before))
		}
		if err == nil && all == nil {
			all, err = p.List(ctx, KindGray, "")
		}
		if err == nil {
			err = checkOthers(change.Key, r, all)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", change.item(), err)
		}
	}
	return nil
}

// valuesOf returns the values of a gray, none if there is none, or it cannot be read.
func valuesOf(text *string) map[string]*string {
	if text == nil {
		return nil
	}
	r, _ := gray.Decode([]byte(*text))
	return r.Values
}

// checkGray returns why services would not take a gray, or not all of it, in place of one
// that had the values before.
func checkGray(name string, r gray.Record, before map[string]*string) error {
	if err := gray.CheckName(name); err != nil {
		return err
	}
	for _, key := range r.Keys() {
		err := checkKey(KindValue, key)
		if value := r.Values[key]; err == nil && value != nil {
			err = checkText(key, *value, before[key])
		}
		if err != nil {
			return fmt.Errorf("key %q: %w", key, err)
		}
	}
	return nil
}

// checkOthers returns which other gray has a key of this one.
func checkOthers(name string, r gray.Record, all Tree) error {
	for _, other := range slices.Sorted(maps.Keys(all)) {
		if other == name {
			continue
		}
		o, err := gray.Decode([]byte(all[other]))
		if err != nil {
			continue // services refuse it
		}
		for _, key := range r.Keys() {
			if _, taken := o.Values[key]; taken {
				return fmt.Errorf("key %q: the gray %q has it too, and nodes would have one of the two: promote or abort that one first", key, other)
			}
		}
	}
	return nil
}

// Package gray is the record of values that are for some instances of a service alone:
// who they are for, and what they are.
package gray

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	format "github.com/rollcall-go/micro/config/encoder/json"
)

// Record is what stands under the name of a gray, as JSON.
type Record struct {
	Who     string    `json:"who,omitempty"`
	When    time.Time `json:"when,omitzero"`
	Comment string    `json:"comment,omitempty"`
	Match   Match     `json:"match"`
	// Values are what lies over the values of keys: the text of each, nil to take the
	// key away. A key is what stands behind /micro/config/.
	Values map[string]*string `json:"values"`
	// Base has the text that each of the keys had when the gray was given its value. A
	// key that was not there is not in it.
	Base map[string]string `json:"base,omitempty"`
}

// MaxName is how many bytes the name of a gray may have.
const MaxName = 100

// CheckName returns why a gray cannot have that name.
func CheckName(name string) error {
	allowed := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_.", r)
	}
	switch {
	case name == "":
		return errors.New("the name of a gray is empty")
	case len(name) > MaxName:
		return fmt.Errorf("the name of a gray has %d bytes, and may have %d", len(name), MaxName)
	case strings.ContainsFunc(name, func(r rune) bool { return !allowed(r) }) || name == "." || name == "..":
		return fmt.Errorf("a gray cannot be called %q: its name may have letters, digits, - _ and . only", name)
	}
	return nil
}

// Encode returns the text to store.
func (r Record) Encode() (string, error) {
	text, err := json.Marshal(r)
	if err != nil {
		return "", fmt.Errorf("write a gray: %w", err)
	}
	return string(text), nil
}

// Decode reads what Encode wrote, or somebody wrote by hand. Fields that it does not
// know are passed over, but for those of the match: a condition that is not understood
// must not be taken for one that holds. No error has anything of a value in it.
func Decode(text []byte) (Record, error) {
	var stored struct {
		Record
		Match json.RawMessage `json:"match"`
	}
	if err := format.NewEncoder().Decode(text, &stored); err != nil {
		if _, when := errors.AsType[*time.ParseError](err); when { // which shows the text
			err = errors.New("what it has for when is no time")
		}
		return Record{}, fmt.Errorf("read a gray: %w", err)
	}
	r := stored.Record
	if err := r.Match.decode(stored.Match); err != nil {
		return Record{}, fmt.Errorf("read a gray: %w", err)
	}
	if err := r.check(); err != nil {
		return Record{}, fmt.Errorf("read a gray: %w", err)
	}
	return r, nil
}

// check returns why a record is none.
func (r Record) check() error {
	if err := r.Match.Check(); err != nil {
		return err
	}
	if len(r.Values) == 0 {
		return errors.New("it has no values")
	}
	for key := range r.Values {
		if key == "" || !utf8.ValidString(key) {
			return fmt.Errorf("it has a value for the key %q, and there can be none", key)
		}
	}
	return nil
}

// Keys returns the keys that the gray sets or takes away, in their order.
func (r Record) Keys() []string { return slices.Sorted(maps.Keys(r.Values)) }

// Same reports whether two records have the same effect, whoever made them.
func (r Record) Same(o Record) bool {
	return r.Match.equal(o.Match) && maps.EqualFunc(r.Values, o.Values, func(a, b *string) bool {
		return a == nil && b == nil || a != nil && b != nil && *a == *b
	})
}

package lint

import (
	"errors"
	"fmt"
	"strings"

	"github.com/rollcall-go/micro/config/secret"
)

// unopened returns the sealed values in a value that cannot be opened: those that are
// damaged, and of those that are sealed for one of the keys, which may be nil, those that
// it does not open.
func unopened(key, value string, keys *secret.Keys) (found []odd) {
	for _, f := range secret.Find(key, value) {
		switch {
		case f.Damaged():
			found = append(found, odd{f.Field, "the secret is damaged, as one that was cut short: nobody can open it"})
		case keys != nil:
			if _, err := f.Open(keys); err != nil && !errors.Is(err, secret.ErrNoKey) {
				found = append(found, odd{f.Field, fmt.Sprintf("the secret cannot be opened: %v", err)})
			}
		}
	}
	return found
}

// CheckWriting returns why nobody can have meant a value that readers would take: a field
// stands twice in it, or a sealed value is damaged. What is so in the value before, nil if
// there was none, does not keep anybody from changing something else.
func CheckWriting(key, value string, before *string) error {
	was := make(map[string]bool)
	if before != nil {
		for _, one := range slips(key, *before) {
			was[one.path] = true
		}
	}
	for _, one := range slips(key, value) {
		if !was[one.path] {
			return one.error()
		}
	}
	return nil
}

func slips(key, value string) []odd {
	all := twice(value)
	for i := range all {
		all[i].text += ": take one of the two out"
	}
	return append(all, unopened(key, value, nil)...)
}

// error names the field, if it is not about the whole value.
func (o odd) error() error {
	if o.path == "" {
		return errors.New(o.text)
	}
	return fmt.Errorf("field %q: %s", o.path, o.text)
}

// within returns where programs read a field of the value of a key, "" for the whole value.
func within(key, field string) string {
	if field == "" {
		return ""
	}
	_, path, _ := locate(key)
	return strings.Trim(join(path)+"/"+field, "/")
}

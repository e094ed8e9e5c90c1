package registryflags

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// ReadEach reads the flags and variables for the registries of the given names and
// returns what is for each, in their order. For one registry every value is its own,
// and no name is needed.
//
// For several, an address says whose it is: NAME=ADDR begins the addresses of NAME,
// and those behind it without a name are its too, as in
// consul=10.0.0.5:8500,etcd=10.0.0.6:2379,10.0.0.7:2379. The value of any other flag
// is for all of them, and each obeys what it understands; what stands behind NAME= at
// the beginning of the value, or after a comma, is for that one alone. A secret may
// hold commas, so that in it only the beginning counts.
func ReadEach(given func(flag string) string, names []string) ([]Settings, error) {
	if len(names) == 0 {
		names = []string{""}
	}
	all := make([]Settings, len(names))
	for _, flag := range Names() {
		raw := given(flag)
		value := strings.TrimSpace(raw)
		if value == "" {
			continue
		}
		if secret(flag) { // may begin and end with blanks, and with quotes
			value = strings.TrimRight(raw, "\r\n")
		} else if err := CheckQuotes(flag, value); err != nil {
			return nil, err
		}
		parts, err := partsOf(flag, value, names)
		if err != nil {
			return nil, err
		}
		for i, part := range parts {
			if !secret(flag) {
				part = strings.TrimSpace(part)
			}
			if part == "" {
				continue
			}
			if err := all[i].take(flag, part, value); err != nil {
				return nil, err
			}
		}
	}
	return all, nil
}

// take sets part of the whole value that was given for a flag.
func (s *Settings) take(flag, part, whole string) error {
	if s.whole == nil {
		s.whole = make(map[string]string)
	}
	s.whole[flag] = whole
	s.given = append(s.given, flag)
	err := s.set(flag, part)
	var wrong *Error
	if errors.As(err, &wrong) && wrong.Value == part {
		wrong.Value = whole
	}
	return err
}

// secret reports whether the value of a flag must not be shown.
func secret(flag string) bool { return flag == Password || flag == Token }

// partsOf returns what of a value is for each of the registries.
func partsOf(flag, value string, names []string) ([]string, error) {
	wrong := func(format string, args ...any) ([]string, error) {
		if secret(flag) {
			return nil, &Error{Flag: flag, Why: fmt.Errorf(format, args...)}
		}
		return nil, Wrong(flag, value, format, args...)
	}
	switch {
	case flag != Address && len(names) == 1:
		return []string{value}, nil
	case flag == Address && strings.ContainsAny(value, "@?"):
		_, err := addresses(value) // which shows nothing of it
		return nil, err
	}
	pieces := strings.Split(value, ",")
	if secret(flag) {
		pieces = []string{value}
	}
	const everybody = -1
	to, shared := everybody, []string(nil)
	own := make([][]string, len(names))
	for i, piece := range pieces {
		name, rest, ok := cutName(piece)
		at := slices.IndexFunc(names, func(n string) bool { return strings.EqualFold(n, name) })
		switch {
		case ok && at >= 0 && own[at] != nil:
			return wrong("%s is there twice; name each once, with all that is for it behind", names[at])
		case ok && at >= 0:
			to, piece = at, rest
			if strings.TrimSpace(rest) == "" {
				return wrong("nothing stands behind %q", names[at]+"=")
			}
		case ok && flag == Address && names[0] == "":
			return wrong("%q names a registry, and none is chosen: choose it with --registry=%s", name, name)
		case ok && flag == Address:
			return wrong("%q names a registry that is not chosen; --registry has: %s", name, strings.Join(names, ","))
		case to == everybody && flag == Address && len(names) > 1 && strings.TrimSpace(piece) != "":
			return wrong("address %d of %d does not say of which registry it is; write %s=%s", i+1, len(pieces), names[0], strings.TrimSpace(piece))
		}
		if to == everybody {
			shared = append(shared, piece)
		} else {
			own[to] = append(own[to], piece)
		}
	}
	parts := make([]string, len(names))
	for i := range parts {
		parts[i] = strings.Join(shared, ",")
		if own[i] != nil {
			parts[i] = strings.Join(own[i], ",")
		}
	}
	return parts, nil
}

// cutName splits NAME=REST. What stands before the sign in an address is no name.
func cutName(piece string) (name, rest string, ok bool) {
	name, rest, ok = strings.Cut(strings.TrimLeft(piece, " "), "=")
	isName := name != "" && !strings.ContainsFunc(name, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '-' && r != '_'
	})
	return name, rest, ok && isName
}

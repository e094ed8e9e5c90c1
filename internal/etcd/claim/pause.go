package claim

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"
)

// pauseLimit is how many bytes of a pause key's value are shown.
const pauseLimit = 200

// pauseReason says in words what the value of a pause key tells. A JSON object
// is shown as its fields, anything else as it is.
func pauseReason(value []byte) string {
	const paused = "paused by an operator"
	var fields map[string]any
	if json.Unmarshal(value, &fields) != nil {
		if len(value) == 0 {
			return paused
		}
		return paused + ": " + fmt.Sprintf("%q", clip(string(value)))
	}
	var parts []string
	for _, k := range slices.Sorted(maps.Keys(fields)) {
		parts = append(parts, fmt.Sprintf("%s %v", k, fields[k]))
	}
	if len(parts) == 0 {
		return paused
	}
	return paused + ": " + clip(printable(strings.Join(parts, ", ")))
}

// printable keeps a text on one line of a terminal.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return ' '
	}, s)
}

func clip(s string) string {
	if len(s) <= pauseLimit {
		return s
	}
	return strings.ToValidUTF8(s[:pauseLimit], "") + "..."
}

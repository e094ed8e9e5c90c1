package layout

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"
)

// PauseRecord is the value of a pause key as we write it. Any other value pauses
// as well.
type PauseRecord struct {
	By     string `json:"by"`
	At     string `json:"at"` // RFC 3339
	Reason string `json:"reason,omitempty"`
}

// Encode returns the value to store.
func (p PauseRecord) Encode() []byte {
	value, _ := json.Marshal(p) // strings alone: it cannot fail
	return value
}

// DecodePause reads the value of a pause key. What is not ours gives the zero
// record.
func DecodePause(value []byte) PauseRecord {
	var p PauseRecord
	if json.Unmarshal(value, &p) != nil {
		return PauseRecord{}
	}
	return p
}

// NodeOf returns the service and the node that a pause key names, as they are
// written in keys. It reports false for a key that names none.
func (l Layout) NodeOf(pauseKey string) (service, node string, ok bool) {
	rest, ok := strings.CutPrefix(pauseKey, l.Pauses())
	if !ok {
		return "", "", false
	}
	service, node, ok = strings.Cut(rest, "/")
	return service, node, ok && service != "" && node != ""
}

// pauseLimit is how many bytes of a pause key's value are shown.
const pauseLimit = 200

// PauseText says in words what the value of a pause key tells. A JSON object is
// shown as its fields, anything else as it is.
func PauseText(value []byte) string {
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

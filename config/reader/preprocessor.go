package reader

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
)

// ReplaceEnvVars returns raw, a text of JSON, with each ${NAME} replaced by what the
// environment has under NAME, which is empty if it has nothing. NAME has letters,
// digits and _ alone; anything else is left as it is. What is put in is escaped as
// part of a string, so that no variable can end the string that it stands in.
func ReplaceEnvVars(raw []byte) ([]byte, error) {
	var out []byte
	for {
		start := bytes.Index(raw, []byte("${"))
		if start < 0 {
			break
		}
		name := raw[start+2:]
		end := bytes.IndexFunc(name, func(r rune) bool {
			return r != '_' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
		})
		if end <= 0 || name[end] != '}' {
			out = append(out, raw[:start+2]...)
			raw = name
			continue
		}
		value, err := json.Marshal(os.Getenv(string(name[:end])))
		if err != nil {
			return nil, fmt.Errorf("put in variable %q: %w", name[:end], err)
		}
		out = append(append(out, raw[:start]...), value[1:len(value)-1]...)
		raw = name[end+1:]
	}
	if out == nil {
		return raw, nil
	}
	return append(out, raw...), nil
}

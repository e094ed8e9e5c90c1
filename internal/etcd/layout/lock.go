package layout

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// Line returns the prefix of the keys of all who hold or wait for a lock. It is go-micro
// v2's: who has been in the line for longest, by etcd's revision, holds the lock.
func (l Layout) Line(id string) (string, error) {
	name := segment(id)
	if name == "" || name == "." || name == ".." || strings.ContainsRune(name, 0) {
		return "", fmt.Errorf("use the lock %q: that is no name", id)
	}
	return l.Root() + "/micro/sync/" + name + "/", nil
}

// Place returns the key of a place in a line: v2's, with the lease's digits.
func Place(line string, lease int64) string { return fmt.Sprintf("%s%x", line, lease) }

// PlaceRecord is the value of such a key, as JSON, for whoever looks at the line. v2 writes
// nothing, or the name of the lock.
type PlaceRecord struct {
	Host string    `json:"host"`
	PID  int       `json:"pid"`
	At   time.Time `json:"at"` // since when the place is there
}

// Encode returns the value to store.
func (p PlaceRecord) Encode() []byte {
	value, _ := json.Marshal(p) // it cannot fail but for years beyond 9999
	return value
}

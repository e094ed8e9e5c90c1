package layout

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"time"
)

// Stored returns the prefix of the records of a table of a database, whose names may be
// any. What follows it is a record's key as it is.
func (l Layout) Stored(database, table string) string {
	return l.Own() + "store/" + url.PathEscape(database) + "/" + url.PathEscape(table) + "/"
}

// StoredRecord is the value of such a key, as JSON.
type StoredRecord struct {
	Value    []byte         `json:"value"` // in base64
	Metadata map[string]any `json:"metadata,omitempty"`
	// Ends is when the record ends by the clock of who wrote it. That it goes then is the
	// doing of the key's lease.
	Ends *time.Time `json:"ends,omitempty"`
}

// Encode returns the value to store.
func (r StoredRecord) Encode() ([]byte, error) {
	value, err := json.Marshal(r)
	if err != nil {
		return nil, fmt.Errorf("write metadata as JSON: %w", err)
	}
	return value, nil
}

// DecodeStored reads the value of a key.
func DecodeStored(key string, value []byte) (r StoredRecord, err error) {
	if err := json.Unmarshal(value, &r); err != nil || r.Value == nil {
		return StoredRecord{}, fmt.Errorf("read the record %q: %w", clip(key), errors.New("it is not of the form that stores write"))
	}
	return r, nil
}

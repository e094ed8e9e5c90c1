package layout

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Config returns the prefix of the configuration, where go-micro v2 reads it.
func (l Layout) Config() string { return l.Root() + "/micro/config/" }

// ConfigSchemas returns the prefix of the schemas of the configuration. Behind it stands
// the key at and below which values have to be what the schema says.
func (l Layout) ConfigSchemas() string { return l.Own() + "config/schema/" }

// ConfigGrays returns the prefix of the gray values of the configuration. Behind it
// stands a name.
func (l Layout) ConfigGrays() string { return l.Own() + "config/gray/" }

// ConfigApplied returns the prefix under which instances say what configuration they
// have. Behind it stand service and node.
func (l Layout) ConfigApplied() string { return l.Own() + "config/applied/" }

// Releases returns the prefix of the releases of the configuration.
func (l Layout) Releases() string { return l.Own() + "config/release/" }

// Release returns the key of the release with that number. The keys are in the order of
// the numbers.
func (l Layout) Release(number int64) string { return fmt.Sprintf("%s%019d", l.Releases(), number) }

// ReleaseOf returns the number of the release that a key is of. It reports false for a
// key that is of none.
func (l Layout) ReleaseOf(key string) (number int64, ok bool) {
	digits, ok := strings.CutPrefix(key, l.Releases())
	number, err := strconv.ParseInt(digits, 10, 64)
	return number, ok && err == nil && number > 0 && l.Release(number) == key
}

// ReleaseRecord is the value of a release's key, as JSON. It is written in the
// transaction that makes the release, and never again.
type ReleaseRecord struct {
	ID       string         `json:"id"` // drawn at random, to recognize one's own
	Who      string         `json:"who"`
	When     time.Time      `json:"when"`
	Comment  string         `json:"comment,omitempty"`
	Restores int64          `json:"restores,omitempty"` // the number of the release whose state it brings back
	Changes  []ChangeRecord `json:"changes"`
}

// ChangeRecord is what a release does to one key.
type ChangeRecord struct {
	Kind     string      `json:"kind,omitempty"`     // "" for a value, "schema" or "gray"
	Key      TextRecord  `json:"key"`                // what stands behind the prefix of the kind
	Before   *TextRecord `json:"before,omitempty"`   // absent if there was no such key
	After    *TextRecord `json:"after,omitempty"`    // absent if it is deleted
	Revision int64       `json:"revision,omitempty"` // at which Before was written
}

// TextRecord is a value or a key: a string, or {"base64":"..."} where it is not UTF-8.
type TextRecord string

type binary struct {
	Base64 []byte `json:"base64"`
}

// MarshalJSON implements json.Marshaler.
func (t TextRecord) MarshalJSON() ([]byte, error) {
	if utf8.ValidString(string(t)) {
		return json.Marshal(string(t))
	}
	return json.Marshal(binary{[]byte(t)})
}

// UnmarshalJSON implements json.Unmarshaler.
func (t *TextRecord) UnmarshalJSON(b []byte) error {
	if len(b) == 0 || b[0] != '{' {
		return json.Unmarshal(b, (*string)(t))
	}
	var other binary
	err := json.Unmarshal(b, &other)
	*t = TextRecord(other.Base64)
	return err
}

// Records of so many bytes are compressed, and of so many are not read.
const (
	largeRelease = 16 << 10
	mostRelease  = 1 << 28
)

// Encode returns the value to store: as JSON, of many bytes as that compressed by gzip.
func (r ReleaseRecord) Encode() ([]byte, error) {
	text, err := json.Marshal(r)
	if err != nil || len(text) < largeRelease {
		return text, err
	}
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	_, err = w.Write(text)
	if err = errors.Join(err, w.Close()); err != nil {
		return nil, err
	}
	return packed.Bytes(), nil
}

// DecodeRelease reads the value of a release's key.
func DecodeRelease(value []byte) (r ReleaseRecord, err error) {
	if bytes.HasPrefix(value, []byte{0x1f, 0x8b}) { // no JSON begins so
		if value, err = unpack(value); err != nil {
			return ReleaseRecord{}, fmt.Errorf("read a release: %w", err)
		}
	}
	if err := json.Unmarshal(value, &r); err != nil {
		return ReleaseRecord{}, fmt.Errorf("read a release: %w", err)
	}
	return r, nil
}

func unpack(packed []byte) ([]byte, error) {
	r, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(io.LimitReader(r, mostRelease+1))
	if len(text) > mostRelease {
		return nil, fmt.Errorf("it has more than %d bytes", mostRelease)
	}
	return text, err
}

package txt

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/rollcall-go/micro/internal/deflated"
)

const (
	// stringBytes is the most that one string of a record of type TXT holds (RFC 1035,
	// section 3.3).
	stringBytes = 255
	// MaxText is how long a text can be, as Size counts it: the length of a record's
	// data is written in 16 bits. What one packet takes is far less.
	MaxText = 65535
	// MaxJSON is how long the JSON in a text may be. Compressed, a thousandth of it
	// can stand for it, so readers stop there.
	MaxJSON = 1 << 20
)

// Encode returns the text of r: JSON, compressed by zlib, in hexadecimal digits, cut
// into strings. Bytes that are not UTF-8 become U+FFFD. It fails if the text would
// be longer than MaxText, or its JSON longer than MaxJSON or nested deeper than
// readers accept.
func Encode(r Record) ([]string, error) {
	text, err := json.Marshal(r)
	if err != nil {
		return nil, fmt.Errorf("encode the record of service %q: %w", r.Service, err)
	}
	if len(text) > MaxJSON {
		return nil, fmt.Errorf("encode the record of service %q: its JSON has %d bytes, at most %d can be read: describe fewer endpoints, or keep less metadata", r.Service, len(text), MaxJSON)
	}
	if err := new(deflated.Shape).Add(text); err != nil {
		return nil, fmt.Errorf("encode the record of service %q: %w", r.Service, err)
	}
	digits := deflated.Pack(text)
	if size := len(digits) + (len(digits)+stringBytes-1)/stringBytes; size > MaxText {
		return nil, fmt.Errorf("encode the record of service %q: its text has %d bytes, at most %d fit into a record: describe fewer endpoints, or keep less metadata", r.Service, size, MaxText)
	}
	return cut(digits), nil
}

// cut divides digits into strings, of which all but the last are full.
func cut(digits string) []string {
	var all []string
	for len(digits) > stringBytes {
		all = append(all, digits[:stringBytes])
		digits = digits[stringBytes:]
	}
	return append(all, digits)
}

// Size returns how many bytes the text takes in a packet.
func Size(text []string) int {
	n := 0
	for _, s := range text {
		n += 1 + len(s)
	}
	return n
}

// Decode reads what Encode or v2 wrote, and is meant for what strangers send: it
// inflates at most MaxJSON bytes, and makes at most as many values as a record with
// a few thousand endpoints has, so that one call uses less than 32 MB of memory for
// a moment. Errors quote nothing of the text. Whether names in the record are fit
// to be shown is for the caller to check.
func Decode(text []string) (Record, error) {
	if size := Size(text); size > MaxText {
		return Record{}, fmt.Errorf("decode a text: it has %d bytes, at most %d fit into a record", size, MaxText)
	}
	raw, err := deflated.Unpack(strings.Join(text, ""), MaxJSON)
	if errors.Is(err, deflated.ErrTooLarge) {
		err = fmt.Errorf("it inflates to more than %d", MaxJSON)
	}
	if err != nil {
		return Record{}, fmt.Errorf("decode a text of %d bytes: %w", Size(text), err)
	}
	if err := new(deflated.Shape).Add(raw); err != nil {
		return Record{}, fmt.Errorf("decode a text: %w", err)
	}
	var r *Record
	if err := json.Unmarshal(raw, &r); err != nil {
		return Record{}, fmt.Errorf("decode a text: it is not the JSON of a record: %w", clean(err))
	}
	if r == nil {
		return Record{}, fmt.Errorf("decode a text: it is the JSON null, not a record")
	}
	return *r, nil
}

// clean returns what is wrong with JSON, without what stands in it: that is a
// stranger's.
func clean(err error) error {
	var shape *json.UnmarshalTypeError
	var syntax *json.SyntaxError
	switch {
	case errors.As(err, &shape):
		return fmt.Errorf("at byte %d is a value of another type", shape.Offset)
	case errors.As(err, &syntax):
		return fmt.Errorf("at byte %d is what JSON does not have there", syntax.Offset)
	}
	return errors.New("it cannot be read")
}

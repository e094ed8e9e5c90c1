// Package json reads and writes JSON (RFC 8259).
package json

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/rollcall-go/micro/config/encoder"
)

type jsonEncoder struct{}

// NewEncoder returns the encoder of JSON. Decoded into an any or a map, numbers
// become json.Number and so keep all their digits. Of a name that an object has
// twice the last one counts. A byte order mark at the beginning is skipped.
func NewEncoder() encoder.Encoder { return jsonEncoder{} }

func (jsonEncoder) String() string { return "json" }

func (jsonEncoder) Encode(v any) ([]byte, error) { return json.Marshal(v) }

func (jsonEncoder) Decode(data []byte, v any) error {
	text := bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	decoder := json.NewDecoder(bytes.NewReader(text))
	switch v.(type) {
	case *any, *map[string]any:
		decoder.UseNumber()
	}
	if err := decoder.Decode(v); err != nil {
		return located(text, err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return at(text, decoder.InputOffset(), errors.New("something follows the end of the value"))
	}
	return nil
}

// located adds to err where in text it is.
func located(text []byte, err error) error {
	var syntax *json.SyntaxError
	var wrong *json.UnmarshalTypeError
	switch {
	case errors.Is(err, io.EOF):
		return errors.New("the value is empty")
	case errors.Is(err, io.ErrUnexpectedEOF):
		return at(text, int64(len(text)), errors.New("the value is cut short"))
	case errors.As(err, &syntax):
		return at(text, syntax.Offset, err)
	case errors.As(err, &wrong):
		wrong.Value, _, _ = strings.Cut(wrong.Value, " ") // without the number itself
		return at(text, wrong.Offset, err)
	}
	return err
}

// at adds the line and column of the byte at offset, counted from 1.
func at(text []byte, offset int64, err error) error {
	before := text[:min(max(0, offset), int64(len(text)))]
	line := bytes.Count(before, []byte("\n")) + 1
	column := len(before) - bytes.LastIndexByte(before, '\n') - 1
	return fmt.Errorf("line %d, column %d: %w", line, max(1, column), err)
}

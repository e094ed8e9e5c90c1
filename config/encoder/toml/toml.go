// Package toml reads and writes TOML 1.0.
package toml

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/BurntSushi/toml"

	"github.com/rollcall-go/micro/config/encoder"
	"github.com/rollcall-go/micro/internal/mask"
)

type tomlEncoder struct{}

// NewEncoder returns the encoder of TOML. A key that stands twice is an error, as the
// format says. Dates and times become time.Time.
func NewEncoder() encoder.Encoder { return tomlEncoder{} }

func (tomlEncoder) String() string { return "toml" }

func (tomlEncoder) Encode(v any) ([]byte, error) {
	var b bytes.Buffer
	if err := toml.NewEncoder(&b).Encode(v); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

func (tomlEncoder) Decode(data []byte, v any) error {
	if err := toml.Unmarshal(bytes.TrimPrefix(data, []byte("\xef\xbb\xbf")), v); err != nil {
		return refused(err)
	}
	return nil
}

// refused says where a text cannot be read, and nothing of what it holds but a key.
func refused(err error) error {
	var wrong toml.ParseError
	if !errors.As(err, &wrong) {
		return fmt.Errorf("read TOML: %w", mask.Content(err))
	}
	after := ""
	if wrong.LastKey != "" {
		after = fmt.Sprintf(" (last key %q)", wrong.LastKey)
	}
	return fmt.Errorf("read TOML: line %d%s: %w", wrong.Position.Line, after, mask.Content(errors.New(wrong.Message)))
}

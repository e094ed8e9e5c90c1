// Package toml reads and writes TOML 1.0.
package toml

import (
	"bytes"
	"fmt"

	"github.com/BurntSushi/toml"

	"github.com/rollcall-go/micro/config/encoder"
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
		return fmt.Errorf("read TOML: %w", err)
	}
	return nil
}

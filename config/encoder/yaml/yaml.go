// Package yaml reads and writes YAML 1.1, as go-micro v2 does: yes and on are true,
// and every key is a string.
package yaml

import (
	"bytes"
	"fmt"

	"sigs.k8s.io/yaml"

	"github.com/rollcall-go/micro/config/encoder"
	"github.com/rollcall-go/micro/config/encoder/json"
	"github.com/rollcall-go/micro/internal/mask"
)

type yamlEncoder struct{ json encoder.Encoder }

// NewEncoder returns the encoder of YAML. It reads what JSON can say of a document,
// by way of JSON, so that the json tags of a struct count. Of a key that stands twice
// the last one counts. A document whose aliases multiply it beyond measure is refused.
func NewEncoder() encoder.Encoder { return yamlEncoder{json.NewEncoder()} }

func (yamlEncoder) String() string { return "yaml" }

func (yamlEncoder) Encode(v any) ([]byte, error) { return yaml.Marshal(v) }

func (y yamlEncoder) Decode(data []byte, v any) error {
	text, err := yaml.YAMLToJSON(bytes.TrimPrefix(data, []byte("\xef\xbb\xbf")))
	if err != nil {
		return fmt.Errorf("read YAML: %w", mask.Content(err))
	}
	return y.json.Decode(text, v)
}

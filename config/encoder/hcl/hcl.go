// Package hcl reads HCL 1, the language that go-micro v2 read: a block is a list of
// objects.
//
// It is the one format that a reader does not know by itself, because the library
// behind it gets no more releases: give it one by reader.WithEncoder(hcl.NewEncoder()).
package hcl

import (
	"encoding/json"
	"fmt"

	"github.com/hashicorp/hcl"

	"github.com/rollcall-go/micro/config/encoder"
	"github.com/rollcall-go/micro/internal/mask"
)

type hclEncoder struct{}

// NewEncoder returns the encoder of HCL. What it encodes is JSON, which is HCL too.
func NewEncoder() encoder.Encoder { return hclEncoder{} }

func (hclEncoder) String() string { return "hcl" }

func (hclEncoder) Encode(v any) ([]byte, error) { return json.Marshal(v) }

func (hclEncoder) Decode(data []byte, v any) error {
	if err := hcl.Unmarshal(data, v); err != nil {
		return fmt.Errorf("read HCL: %w", mask.Content(err))
	}
	return nil
}

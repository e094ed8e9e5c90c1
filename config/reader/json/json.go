// Package json is the Reader whose result is JSON.
package json

import (
	"errors"
	"fmt"
	"time"

	"github.com/rollcall-go/micro/config/encoder"
	"github.com/rollcall-go/micro/config/encoder/json"
	"github.com/rollcall-go/micro/config/reader"
	"github.com/rollcall-go/micro/config/source"
	"github.com/rollcall-go/micro/internal/tree"
)

type jsonReader struct {
	opts reader.Options
	json encoder.Encoder
}

// NewReader returns a Reader of the formats that reader.NewOptions knows and those
// that opts add. A set whose format it does not know is read as JSON. Every set has to
// hold an object.
func NewReader(opts ...reader.Option) reader.Reader {
	return &jsonReader{opts: reader.NewOptions(opts...), json: json.NewEncoder()}
}

func (j *jsonReader) String() string { return "json" }

func (j *jsonReader) Merge(changes ...*source.ChangeSet) (*source.ChangeSet, error) {
	var merged map[string]any
	for _, set := range changes {
		if set == nil || len(set.Data) == 0 {
			continue
		}
		format, known := j.opts.Encoding[set.Format]
		if !known {
			format = j.json
		}
		var data map[string]any
		if err := format.Decode(set.Data, &data); err != nil {
			if !known && set.Format == "hcl" {
				return nil, errors.New("read what the source holds: hcl is read with config/encoder/hcl: give it to the reader by reader.WithEncoder")
			}
			return nil, fmt.Errorf("read what source %q holds: %w", set.Source, err)
		}
		if merged == nil && data != nil {
			merged = data // nobody else has it
			continue
		}
		merged = tree.Merge(merged, data)
	}
	text, err := j.json.Encode(merged)
	if err != nil {
		return nil, fmt.Errorf("write the merged configuration: %w", err)
	}
	result := &source.ChangeSet{Timestamp: time.Now(), Data: text, Source: "json", Format: "json"}
	result.Checksum = result.Sum()
	return result, nil
}

func (j *jsonReader) Values(set *source.ChangeSet) (reader.Values, error) {
	if set == nil {
		return nil, errors.New("read values: there is no change set")
	}
	if set.Format != "json" {
		return nil, fmt.Errorf("read values: the format is %q, and json is wanted: merge first", set.Format)
	}
	return newValues(set, j.opts.Open)
}

package json

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/rollcall-go/micro/config/reader"
)

// value is one value of a document. It does not change.
type value struct {
	raw any
	// An object has its fields in one of these two: few are found sooner one by one.
	few  []field
	many map[string]*value
}

type field struct {
	name  string
	value *value
}

// few is up to how many fields are looked through one by one.
const few = 8

// nothing is the value where there is none.
var nothing = &value{}

var _ reader.Value = (*value)(nil)

// Format implements fmt.Formatter: printing a value does not show it, for it may be
// secret. What is asked for is shown by String, Bytes and the others.
func (v *value) Format(s fmt.State, _ rune) {
	_, _ = io.WriteString(s, "(a value of the configuration)")
}

func newValue(raw any) *value {
	object, ok := raw.(map[string]any)
	if !ok {
		return &value{raw: raw}
	}
	v := &value{raw: raw}
	if len(object) > few {
		v.many = make(map[string]*value, len(object))
		for name, one := range object {
			v.many[name] = newValue(one)
		}
		return v
	}
	v.few = make([]field, 0, len(object))
	for name, one := range object {
		v.few = append(v.few, field{name, newValue(one)})
	}
	return v
}

// field returns the field of an object, nil if there is none.
func (v *value) field(name string) *value {
	if v.many != nil {
		return v.many[name]
	}
	for i := range v.few {
		if v.few[i].name == name {
			return v.few[i].value
		}
	}
	return nil
}

func (v *value) Bool(def bool) bool {
	switch raw := v.raw.(type) {
	case bool:
		return raw
	case string:
		if b, err := strconv.ParseBool(raw); err == nil {
			return b
		}
	}
	return def
}

func (v *value) Int(def int) int {
	switch raw := v.raw.(type) {
	case json.Number:
		if i, err := strconv.ParseInt(raw.String(), 10, strconv.IntSize); err == nil {
			return int(i)
		}
		// 3.0 and 1e3 are whole numbers too, as far as a float64 tells them apart.
		f, err := raw.Float64()
		if err == nil && f == math.Trunc(f) && math.Abs(f) < 1<<53 {
			return int(f)
		}
	case string:
		if i, err := strconv.Atoi(raw); err == nil {
			return i
		}
	}
	return def
}

func (v *value) String(def string) string {
	if s, ok := v.raw.(string); ok {
		return s
	}
	return def
}

func (v *value) Float64(def float64) float64 {
	switch raw := v.raw.(type) {
	case json.Number:
		if f, err := raw.Float64(); err == nil {
			return f
		}
	case string:
		if f, err := strconv.ParseFloat(raw, 64); err == nil {
			return f
		}
	}
	return def
}

func (v *value) Duration(def time.Duration) time.Duration {
	if s, ok := v.raw.(string); ok {
		if d, err := time.ParseDuration(s); err == nil {
			return d
		}
	}
	return def
}

func (v *value) StringSlice(def []string) []string {
	switch raw := v.raw.(type) {
	case string:
		if parts := strings.Split(raw, ","); len(parts) > 1 {
			return parts
		}
	case []any:
		list := make([]string, 0, len(raw))
		for _, one := range raw {
			switch one := one.(type) {
			case string:
				list = append(list, one)
			case nil:
				list = append(list, "")
			default:
				return nil
			}
		}
		return list
	}
	return def
}

func (v *value) StringMap(def map[string]string) map[string]string {
	object, ok := v.raw.(map[string]any)
	if !ok {
		return def
	}
	m := make(map[string]string, len(object))
	for key, field := range object {
		m[key] = fmt.Sprint(field)
	}
	return m
}

func (v *value) Scan(into any) error {
	if err := json.Unmarshal(text(v.raw), into); err != nil {
		var wrong *json.UnmarshalTypeError
		if errors.As(err, &wrong) {
			wrong.Value, _, _ = strings.Cut(wrong.Value, " ") // without the number itself
		}
		return fmt.Errorf("scan a value of the configuration: %w", err)
	}
	return nil
}

func (v *value) Bytes() []byte {
	if s, ok := v.raw.(string); ok {
		return []byte(s)
	}
	return text(v.raw)
}

package center

import (
	"bytes"
	stdjson "encoding/json"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strings"

	sigsyaml "sigs.k8s.io/yaml"

	"github.com/rollcall-go/micro/config/encoder"
	"github.com/rollcall-go/micro/config/encoder/json"
	"github.com/rollcall-go/micro/config/encoder/toml"
	"github.com/rollcall-go/micro/config/encoder/yaml"
	"github.com/rollcall-go/micro/internal/lint"
)

// formats are what a tree can be written as.
var formats = map[string]encoder.Encoder{"json": json.NewEncoder(), "yaml": yaml.NewEncoder(), "yml": yaml.NewEncoder(), "toml": toml.NewEncoder()}

func formatOf(name string) (encoder.Encoder, error) {
	if format, ok := formats[name]; ok {
		return format, nil
	}
	return nil, fmt.Errorf("format %q is not known: choose json, yaml or toml", name)
}

// Encode writes a tree as "json", "yaml" or "toml": one object with a field for each
// key, in their order, so that equal trees are equal texts. What Decode would not read
// as the same is refused, with the key. JSON keeps the spelling of numbers too; in YAML and
// TOML, whose libraries write them anew, 1.50 becomes 1.5, the same number.
func Encode(t Tree, format string) ([]byte, error) {
	codec, err := formatOf(format)
	if err != nil {
		return nil, err
	}
	doc := make(map[string]any, len(t))
	for _, key := range slices.Sorted(maps.Keys(t)) {
		if doc[key], err = decode(t[key]); err != nil {
			return nil, fmt.Errorf("write key %q: its value is not JSON: %w; put another one there first", key, err)
		}
	}
	var text []byte
	if codec.String() == "json" {
		text, err = encode(doc, "  ")
	} else {
		text, err = codec.Encode(doc)
	}
	if err != nil {
		return nil, fmt.Errorf("write %s: %w; choose json", format, err)
	}
	back, err := Decode(text, format)
	if err != nil {
		return nil, fmt.Errorf("write %s: %w; choose json", format, err)
	}
	if lost := Different(t, back); len(lost) > 0 {
		return nil, fmt.Errorf("write key %q: %s cannot hold its value as it is; choose json", lost[0].Key, format)
	}
	return text, nil
}

// Decode reads what Encode wrote, or somebody wrote in its place.
func Decode(text []byte, format string) (Tree, error) {
	codec, err := formatOf(format)
	if err != nil {
		return nil, err
	}
	doc, err := object(text, codec)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", format, err)
	}
	if err := checkOnce(text, codec); err != nil {
		return nil, fmt.Errorf("read %s: %w", format, err)
	}
	t := make(Tree, len(doc))
	for key, v := range doc {
		one, err := encode(v, "")
		if err != nil {
			return nil, fmt.Errorf("read key %q: %w", key, err)
		}
		t[key] = strings.TrimSuffix(string(one), "\n")
	}
	return t, nil
}

// object reads the object that a file is. An empty one is most likely one that was cut short.
func object(text []byte, format encoder.Encoder) (doc map[string]any, err error) {
	if format.String() == "toml" { // it has nothing else
		return doc, format.Decode(text, &doc)
	}
	if len(bytes.TrimSpace(bytes.TrimPrefix(text, []byte("\xef\xbb\xbf")))) == 0 {
		return nil, errNoObject("empty")
	}
	var v any
	if err := format.Decode(text, &v); err != nil {
		return nil, err
	}
	switch v := v.(type) {
	case map[string]any:
		return v, nil
	case []any:
		return nil, errNoObject("a list")
	case nil:
		return nil, errNoObject("null, or nothing")
	}
	return nil, errNoObject("a single value")
}

func errNoObject(what string) error {
	return fmt.Errorf("it is %s, and no object with a field for each key; one without keys is {}", what)
}

// checkOnce returns what stands twice in a file: a slip of its writer, of which readers
// of values take the last. TOML has no such files.
func checkOnce(text []byte, format encoder.Encoder) error {
	switch format.String() {
	case "json":
		return lint.CheckOnce(string(text))
	case "yaml":
		if _, err := sigsyaml.YAMLToJSONStrict(bytes.TrimPrefix(text, []byte("\xef\xbb\xbf"))); err != nil {
			text := strings.Join(strings.Fields(err.Error()), " ")
			return fmt.Errorf("%s: take one of the two out", strings.TrimPrefix(text, "yaml: unmarshal errors: "))
		}
	}
	return nil
}

// Different is Diff without the keys whose values say the same in another spelling.
func Different(before, after Tree) []Change { return WithoutRewording(Diff(before, after)) }

// WithoutRewording returns changes without those that say the same in another spelling.
func WithoutRewording(changes []Change) []Change {
	return slices.DeleteFunc(slices.Clone(changes), func(c Change) bool {
		if c.Before == nil || c.After == nil {
			return false
		}
		b, okBefore := canonical(*c.Before)
		a, okAfter := canonical(*c.After)
		return okBefore && okAfter && a == b
	})
}

// canonical is one spelling for all that say the same.
func canonical(text string) (string, bool) {
	v, err := decode(text)
	if err != nil {
		return "", false
	}
	one, err := encode(numbers(v), "")
	return string(one), err == nil
}

// numbers spells the numbers in v in one way.
func numbers(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for key := range v {
			v[key] = numbers(v[key])
		}
	case []any:
		for i := range v {
			v[i] = numbers(v[i])
		}
	case stdjson.Number:
		_, exponent, _ := strings.Cut(strings.ToLower(v.String()), "e")
		if len(exponent) > 4 || len(v) > 400 {
			return v // to write it out would take long
		}
		if n, ok := new(big.Rat).SetString(v.String()); ok {
			return map[string]any{"number": n.RatString()}
		}
	}
	return v
}

func decode(text string) (v any, err error) {
	err = json.NewEncoder().Decode([]byte(text), &v)
	return v, err
}

func encode(v any, indent string) ([]byte, error) {
	var b bytes.Buffer
	e := stdjson.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", indent)
	err := e.Encode(v)
	return b.Bytes(), err
}

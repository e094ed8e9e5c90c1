package schema

import (
	stdjson "encoding/json"
	"fmt"
	"math/big"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
)

// rule is the keyword that was violated.
func rule(k jsonschema.ErrorKind) string {
	switch k.(type) {
	case *kind.FalseSchema:
		return "false"
	case *kind.Not:
		return "not"
	case *kind.Dependency:
		return "dependencies"
	}
	if path := k.KeywordPath(); len(path) > 0 {
		return path[0]
	}
	return "schema"
}

// reason says what was found in value and what is wanted, without what a secret holds.
func reason(e *jsonschema.ValidationError, value any, secret bool) string {
	found := shown(value)
	if secret {
		found = "the secret"
	}
	bound := func(relation string, want *big.Rat) string {
		return fmt.Sprintf("%s is %s %s", found, relation, decimal(want))
	}
	switch k := e.ErrorKind.(type) {
	case *kind.Type:
		return fmt.Sprintf("it is %s, and has to be %s", article(k.Got), articles(k.Want))
	case *kind.Const:
		if secret {
			return "the secret is another one than the schema has"
		}
		return fmt.Sprintf("%s is not %s", found, shown(k.Want))
	case *kind.Enum:
		if secret {
			return "the secret is none of those that the schema has"
		}
		return fmt.Sprintf("%s is none of %s", found, list(k.Want))
	case *kind.Format:
		if k.Want == "regex" && !secret {
			return fmt.Sprintf("%s is no regular expression: %v", found, k.Err)
		}
		return fmt.Sprintf("%s is not of the format %q", found, k.Want)
	case *kind.Pattern:
		return fmt.Sprintf("%s does not match %s", found, cut(k.Want))
	case *kind.Minimum:
		return bound("less than", k.Want)
	case *kind.Maximum:
		return bound("more than", k.Want)
	case *kind.ExclusiveMinimum:
		return bound("not more than", k.Want)
	case *kind.ExclusiveMaximum:
		return bound("not less than", k.Want)
	case *kind.MultipleOf:
		return bound("no multiple of", k.Want)
	case *kind.MinLength:
		return fmt.Sprintf("it has %d characters, and needs %d", k.Got, k.Want)
	case *kind.MaxLength:
		return fmt.Sprintf("it has %d characters, and may have %d", k.Got, k.Want)
	case *kind.MinItems:
		return fmt.Sprintf("it has %d elements, and needs %d", k.Got, k.Want)
	case *kind.MaxItems:
		return fmt.Sprintf("it has %d elements, and may have %d", k.Got, k.Want)
	case *kind.AdditionalItems:
		return fmt.Sprintf("it has %d elements too many", k.Count)
	case *kind.MinProperties:
		return fmt.Sprintf("it has %d fields, and needs %d", k.Got, k.Want)
	case *kind.MaxProperties:
		return fmt.Sprintf("it has %d fields, and may have %d", k.Got, k.Want)
	case *kind.PropertyNames:
		return fmt.Sprintf("the name %s is not one that the schema takes", cut(k.Property))
	case *kind.UniqueItems:
		return fmt.Sprintf("elements %d and %d are equal", k.Duplicates[0], k.Duplicates[1])
	case *kind.Contains:
		return "no element is as the schema wants one to be"
	case *kind.MinContains:
		return fmt.Sprintf("%d elements are as the schema wants them to be, and %d have to", len(k.Got), k.Want)
	case *kind.MaxContains:
		return fmt.Sprintf("%d elements are as the schema wants them to be, and %d may", len(k.Got), k.Want)
	case *kind.OneOf:
		return fmt.Sprintf("it fits the alternatives %d and %d, and may fit one", k.Subschemas[0], k.Subschemas[1])
	case *kind.Not:
		return "it is what it may not be"
	case *kind.FalseSchema:
		return "nothing may stand here"
	}
	return "it does not fit"
}

func article(kind string) string {
	switch kind {
	case "null", "true", "false":
		return kind
	case "object", "integer":
		return "an " + kind
	case "array":
		return "a list"
	}
	return "a " + kind
}

func articles(kinds []string) string {
	all := make([]string, len(kinds))
	for i, kind := range kinds {
		all[i] = article(kind)
	}
	return strings.Join(all, " or ")
}

// shown is a value in short.
func shown(v any) string {
	switch v := v.(type) {
	case map[string]any:
		return "the object"
	case []any:
		return "the list"
	case string:
		return cut(v)
	case stdjson.Number:
		return short(v.String())
	case nil:
		return "null"
	}
	return fmt.Sprint(v)
}

// list shows the values that an enum has.
func list(all []any) string {
	const most = 10
	var texts []string
	for _, v := range all[:min(most, len(all))] {
		texts = append(texts, shown(v))
	}
	if len(all) > most {
		texts = append(texts, fmt.Sprintf("%d more", len(all)-most))
	}
	return strings.Join(texts, ", ")
}

// cut is a text in quotes, cut short where it is long.
func cut(text string) string {
	const most = 60
	if runes := []rune(text); len(runes) > most {
		return strconv.Quote(string(runes[:most])) + "..."
	}
	return strconv.Quote(text)
}

func short(number string) string {
	const most = 40
	if len(number) > most {
		return number[:most] + "..."
	}
	return number
}

func decimal(n *big.Rat) string {
	if n.IsInt() {
		return short(n.Num().String())
	}
	f, _ := n.Float64()
	return strconv.FormatFloat(f, 'g', -1, 64)
}

// Package lint finds what is wrong with a configuration as it stands in a store: values
// that nobody can read, keys of which readers lose some, values that a schema does not
// take. It knows no store.
package lint

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/rollcall-go/micro/config/schema"
	"github.com/rollcall-go/micro/config/secret"
	"github.com/rollcall-go/micro/internal/gray"
)

// Config is a configuration, by what stands behind the prefix of each kind of key.
type Config struct {
	Values  map[string]string
	Schemas map[string]string
	Grays   map[string]string // by name, as internal/gray writes them
}

// Kind names a kind of Finding. It is the same in every release.
type Kind string

// The kinds.
const (
	// Value is a value that cannot be read.
	Value Kind = "value"
	// Key is a key that cannot be meant.
	Key Kind = "key"
	// Twice is a field that stands twice in one object.
	Twice Kind = "twice"
	// V2 is what go-micro v2 loses or reads otherwise than it is written.
	V2 Kind = "v2"
	// Schema is a schema that cannot be read.
	Schema Kind = "schema"
	// Rule is a value that a schema does not take.
	Rule Kind = "rule"
	// Secret is a sealed value that cannot be opened.
	Secret Kind = "secret"
	// Plain is a secret that everybody can read.
	Plain Kind = "plain"
	// Gray is a gray that cannot be read.
	Gray Kind = "gray"
)

// Finding is one thing that is wrong.
type Finding struct {
	Kind Kind   `json:"kind"`
	Key  string `json:"key"` // behind /micro/config/, or of the schema, or the name of the gray
	// Path is where programs read the value, as far as it is about a part of one.
	Path string `json:"path,omitempty"`
	Text string `json:"text"` // what was found

	Rule        string `json:"rule,omitempty"`   // of the schema that is violated
	Schema      string `json:"schema,omitempty"` // its key
	Service     string `json:"service,omitempty"`
	Environment string `json:"environment,omitempty"`
	Gray        string `json:"gray,omitempty"`
}

// Options say for whom a configuration is.
type Options struct {
	// WithoutV2 leaves out what go-micro v2 alone has trouble with.
	WithoutV2 bool
	// Stripped says that services of v2 read with StripPrefix(true).
	Stripped bool
	// Keys, if not nil, open what is sealed for them, to see whether that can be done. Of
	// what is sealed for others only the form is looked at.
	Keys *secret.Keys
}

// Lint returns what is wrong, by key and path.
func (c Config) Lint(o Options) []Finding {
	var all []Finding
	keys := slices.Sorted(maps.Keys(c.Values))
	for _, key := range keys {
		all = append(all, c.ofKey(key, keys, o)...)
	}
	for _, v := range c.Judge(nil) {
		all = append(all, v.Finding())
	}
	for _, name := range slices.Sorted(maps.Keys(c.Grays)) {
		all = append(all, ofGray(name, c.Grays[name], o)...)
	}
	all = append(all, c.plain()...)
	slices.SortStableFunc(all, func(a, b Finding) int {
		return cmp.Or(strings.Compare(a.Key, b.Key), strings.Compare(a.Path, b.Path), strings.Compare(string(a.Kind), string(b.Kind)))
	})
	return all
}

// ofGray returns what is wrong with a gray by itself.
func ofGray(name, text string, o Options) (all []Finding) {
	r, err := gray.Decode([]byte(text))
	for _, err := range []error{gray.CheckName(name), err} {
		if err != nil {
			all = append(all, Finding{Kind: Gray, Key: name, Text: err.Error()})
		}
	}
	for _, key := range r.Keys() {
		if value := r.Values[key]; value != nil {
			for _, one := range unopened(key, *value, o.Keys) {
				all = append(all, Finding{Kind: Secret, Key: key, Path: within(key, one.path), Text: one.text, Gray: name})
			}
		}
	}
	return all
}

// Finding tells of a violation.
func (v Violation) Finding() Finding {
	f := Finding{Rule, v.Key, v.Path, v.Text, v.Rule, v.Schema, v.Service, v.Environment, v.Gray}
	if v.Rule == Unreadable {
		f.Kind, f.Rule = Schema, ""
	}
	return f
}

// ofKey returns what is wrong with one key and its value, whoever reads it.
func (c Config) ofKey(key string, keys []string, o Options) []Finding {
	var all []Finding
	add := func(kind Kind, path, text string) {
		all = append(all, Finding{Kind: kind, Key: key, Path: path, Text: text})
	}
	if err := CheckKey(key); err != nil {
		add(Key, "", err.Error())
	}
	value := c.Values[key]
	if err := CheckValue(key, value); err != nil {
		// A byte order mark is no trouble for ours.
		if decode(value) == nil || !o.WithoutV2 || json.Valid([]byte(value)) {
			add(Value, "", err.Error())
		}
	}
	for _, one := range twice(value) {
		add(Twice, within(key, one.path), one.text+", and the last one counts")
	}
	for _, one := range unopened(key, value, o.Keys) {
		add(Secret, within(key, one.path), one.text)
	}
	if o.WithoutV2 {
		return all
	}
	if err := CheckPlace(key, keys); err != nil {
		add(V2, "", err.Error())
	}
	if o.Stripped && !strings.Contains(key, "/") {
		add(V2, "", "go-micro v2 with StripPrefix(true) takes the value for the whole configuration, and loses all of it when the key is deleted: put it one level deeper")
	}
	for _, one := range rounded(value) {
		add(V2, within(key, one.path), one.text)
	}
	return all
}

// plain returns the secrets that are not sealed.
func (c Config) plain() []Finding {
	var all []Finding
	values := newSpots(c.Values)
	for _, key := range slices.Sorted(maps.Keys(c.Schemas)) {
		s, err := schema.Compile([]byte(c.Schemas[key]))
		if err != nil {
			continue // Judge says so
		}
		of, path, _ := locate(key)
		seen := make(map[string]bool)
		relevant := values.at(of, path)
		for _, who := range readers(of, relevant) {
			doc := document(relevant, who.layer)
			for _, found := range s.Secrets(below(doc, path)) {
				at := append(slices.Clone(path), schema.Violation{Path: found}.Parts()...)
				text, ok := below(doc, at).(string)
				from := giver(relevant, who.layer, at)
				if ok && unknown(text) || below(doc, at) == nil || seen[from+"\n"+join(at)] {
					continue
				}
				seen[from+"\n"+join(at)] = true
				all = append(all, Finding{Kind: Plain, Key: from, Path: join(at), Schema: key, Text: fmt.Sprintf("the schema %q says that it is a secret, and everybody who reads etcd can read it: seal it by `micro config secret`", key)})
			}
		}
	}
	return all
}

// String is one line.
func (f Finding) String() string {
	text := fmt.Sprintf("key %q: ", f.Key)
	switch f.Kind {
	case Schema, Gray:
		text = fmt.Sprintf("%s %q: ", f.Kind, f.Key)
	}
	if f.Path != "" && f.Path != f.Key {
		text += fmt.Sprintf("%q: ", f.Path)
	}
	if f.Rule != "" {
		text += f.Rule + ": "
	}
	text += f.Text
	if f.Kind == Secret && f.Gray != "" {
		text += fmt.Sprintf(" (in gray %q)", f.Gray)
	}
	if f.Kind == Rule {
		text += fmt.Sprintf(" (the schema is that of %q%s)", f.Schema, f.Who())
	}
	return text
}

// Who says for whom it is so, "" for everybody.
func (f Finding) Who() string {
	var all []string
	for _, one := range []struct{ what, name string }{{"service", f.Service}, {"environment", f.Environment}, {"gray", f.Gray}} {
		if one.name != "" {
			all = append(all, fmt.Sprintf("%s %q", one.what, one.name))
		}
	}
	if len(all) == 0 {
		return ""
	}
	return ", for " + strings.Join(all, ", ")
}

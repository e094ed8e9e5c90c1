// Package schema says what configuration has to look like, and judges whether it does.
// Schemas are JSON Schema, of the drafts 4 to 2020-12; without $schema that of 2020-12
// counts.
//
// A schema is a text that somebody else may have written, so everything about it is
// bounded: what it refers to is never fetched, neither from a network nor from a file;
// how large and deep it may be, how long its regular expressions are, and how many steps
// one judgement takes. Regular expressions are Go's, without look-around and references.
// $dynamicRef and $recursiveRef are refused.
//
// What is violated is told without what a secret holds: see Violation.
package schema

import (
	"errors"
	"fmt"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/rollcall-go/micro/config/encoder/json"
)

// Schema judges documents. Its methods may be called by several goroutines at once.
type Schema struct {
	text  string
	root  *jsonschema.Schema
	costs *costs
}

// here is what references within a schema are resolved against.
const here = "rollcall:///schema"

// Compile reads a schema. The error says what is wrong with it and where.
func Compile(text []byte) (s *Schema, err error) {
	fail := func(err error) (*Schema, error) { return nil, fmt.Errorf("read the schema: %w", err) }
	if len(text) > maxBytes {
		return fail(fmt.Errorf("it has %d bytes, and at most %d are taken", len(text), maxBytes))
	}
	var doc any
	if err := json.NewEncoder().Decode(text, &doc); err != nil {
		return fail(err)
	}
	switch doc.(type) {
	case map[string]any, bool:
	default:
		return fail(errors.New("it is neither an object nor true or false"))
	}
	if err := checkSize(doc); err != nil {
		return fail(err)
	}
	// What somebody wrote into a schema shall not end a process, whatever the library does.
	defer func() {
		if p := recover(); p != nil {
			s, err = fail(fmt.Errorf("it cannot be worked with: %v", p))
		}
	}()
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	c.UseLoader(nowhere{})
	c.UseRegexpEngine(compilePattern)
	c.AssertFormat()
	c.RegisterFormat(&jsonschema.Format{Name: secretFormat, Validate: func(any) error { return nil }})
	if err := c.AddResource(here, doc); err != nil {
		return fail(err)
	}
	root, err := c.Compile(here)
	if err != nil {
		return fail(explain(err, doc))
	}
	costs, err := newCosts(root)
	if err != nil {
		return fail(err)
	}
	return &Schema{string(text), root, costs}, nil
}

// String returns the text of the schema.
func (s *Schema) String() string { return s.text }

// Check judges a document, JSON. The error is an *Error if the document violates the
// schema.
func (s *Schema) Check(document []byte) error {
	var v any
	if err := json.NewEncoder().Decode(document, &v); err != nil {
		return fmt.Errorf("read the document: %w", err)
	}
	return s.CheckValue(v, Unknown{})
}

// Unknown says what of a document is not known, and so not judged.
type Unknown struct {
	// Sealed, if not nil, reports whether a string stands for a value that is not known.
	Sealed func(text string) bool
	// Fields says that objects may have more fields than are there.
	Fields bool
}

// CheckValue is Check for a document that is decoded already, with numbers as
// json.Number.
func (s *Schema) CheckValue(document any, unknown Unknown) (err error) {
	if err := s.costs.bound(document); err != nil {
		return fmt.Errorf("judge the document: %w", err)
	}
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("judge the document: the schema cannot be worked with: %v", p)
		}
	}()
	var found *jsonschema.ValidationError
	switch err := s.root.Validate(document); {
	case err == nil:
		return nil
	case !errors.As(err, &found):
		return fmt.Errorf("judge the document: %w", err)
	}
	j := judgement{s, document, unknown}
	return asError(j.collect(found))
}

// nowhere is where references to other documents lead.
type nowhere struct{}

func (nowhere) Load(string) (any, error) { return nil, errors.New("nothing is fetched") }

// explain says what is wrong with a schema in words that fit one who has never seen the
// library.
func explain(err error, doc any) error {
	var elsewhere *jsonschema.LoadURLError
	var wrong *jsonschema.SchemaValidationError
	var found *jsonschema.ValidationError
	switch {
	case errors.As(err, &elsewhere):
		return fmt.Errorf("it refers to %q, which is not in it, and what a schema refers to is never fetched: put it below $defs", strings.TrimPrefix(elsewhere.URL, "rollcall:///"))
	case errors.As(err, &wrong) && errors.As(wrong.Err, &found):
		j := judgement{schema: &Schema{}, document: doc}
		return fmt.Errorf("it is no JSON Schema: %w", asError(j.collect(found)))
	}
	return errors.New(strings.ReplaceAll(err.Error(), here+"#", "#"))
}

package center

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/rollcall-go/micro/internal/testkit"
)

func schemaAt(key, text string) Edit { return Edit{Kind: KindSchema, Key: key, Value: &text} }

// wantRefused makes a release that schemas do not take, and checks what is said.
func wantRefused(t *testing.T, c *Center, want string, edits ...Edit) {
	t.Helper()
	for _, f := range []func(context.Context, Draft) (Release, error){c.Plan, c.Release} {
		_, err := f(t.Context(), Draft{Who: "ada", Edits: edits})
		var refused *SchemaError
		if !errors.As(err, &refused) || err.Error() != "release configuration: "+want {
			t.Errorf("got  %v\nwant %s", err, want)
		}
	}
}

const portSchema = `{"type":"object","properties":{"port":{"type":"integer","maximum":65535}},"required":["port"]}`

func TestSchemasJudgeReleases(t *testing.T) {
	t.Parallel()
	e := testkit.StartEtcd(t)
	client := e.Client(t)

	t.Run("values", func(t *testing.T) {
		c := open(t, e.Addr(), "values")
		release(t, c, schemaAt("db", portSchema), Put("other", "1"))
		wantRefused(t, c, `key "db": "db/port": maximum: 70000 is more than 65535 (the schema is that of "db")`, Put("db", `{"port":70000}`))
		wantRefused(t, c, `key "db/port": type: it is a string, and has to be an integer (the schema is that of "db")`, Put("db/port", `"x"`), Put("other", "2"))
		wantRefused(t, c, `key "db": "db/port": required: it is missing (the schema is that of "db")`, Put("db/host", `"h"`))
		wantTree(t, c, Tree{"other": "1"})
		release(t, c, Put("db/port", "3306"), Put("db/host", `"h"`))
		wantRefused(t, c, `key "db": "db/port": required: it is missing (the schema is that of "db")`, Delete("db/port"))
		release(t, c, Delete("db/port"), Delete("db/host"))
	})

	t.Run("by force", func(t *testing.T) {
		c := open(t, e.Addr(), "force")
		release(t, c, Put("db", `{"port":"x","n":1}`), Put("more", "1"))
		wantRefused(t, c, `key "db": "db/port": type: it is a string, and has to be an integer (the schema is that of "db")`, schemaAt("db", portSchema))
		r, err := c.Release(t.Context(), Draft{Edits: []Edit{schemaAt("db", portSchema)}, Force: true})
		if err != nil || len(r.Violations) != 1 || r.Violations[0].Path != "db/port" || r.Violations[0].Rule != "type" || r.Violations[0].Schema != "db" || r.Unjudged {
			t.Fatalf("%v: %+v", err, r)
		}
		// What is wrong already keeps nobody from changing something else.
		release(t, c, Put("db", `{"port":"x","n":2}`))
		wantRefused(t, c, `key "db": "db/port": type: it is a list, and has to be an integer (the schema is that of "db")`, Put("db", `{"port":[]}`))
		release(t, c, Put("db", `{"port":1}`))
		wantRefused(t, c, `key "db": "db/port": type: it is a string, and has to be an integer (the schema is that of "db")`, Put("db", `{"port":"x","n":1}`))
		d, err := c.Rollback(t.Context(), 1)
		if err != nil {
			t.Fatal(err)
		}
		// The first release had no schema, so its values come back with none.
		if _, err := c.Release(t.Context(), d); err != nil {
			t.Fatal(err)
		}
	})

	t.Run("schemas that are none", func(t *testing.T) {
		c := open(t, e.Addr(), "none")
		for text, want := range map[string]string{
			`{"type":"strnig"}`:               `schema "db": read the schema: it is no JSON Schema: type: `,
			`{"$ref":"http://127.0.0.1:1/x"}`: "never fetched",
			`hello`:                           "the value is not JSON",
			`{"$ref":"#"}`:                    "refers to itself",
			`{"title":"` + strings.Repeat("x", 1<<20): "cut short",
		} {
			if _, err := c.Release(t.Context(), Draft{Edits: []Edit{schemaAt("db", text)}}); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%.50s: %v, want %q", text, err, want)
			}
		}
		past(t, client, "/none/micro/rollcall/config/schema/db", `{"type":1}`)
		if _, err := c.Release(t.Context(), Draft{Edits: []Edit{Put("db", "1")}}); err == nil || !strings.Contains(err.Error(), `schema "db": read the schema: `) {
			t.Errorf("under a schema that cannot be read: %v", err)
		}
		release(t, c, Put("elsewhere", "1"))
	})

	t.Run("layers and grays", func(t *testing.T) {
		c := open(t, e.Addr(), "layers")
		release(t, c, schemaAt("db", portSchema), Put("_environment/prod/db", `{"port":1}`), Put("_environment/test/db", `{"port":2}`), Put("db", `{"host":"h"}`))
		wantRefused(t, c, `key "db": "db/port": required: it is missing (the schema is that of "db", for environment "test")`, Delete("_environment/test/db"), Put("_environment/test/db/host", `"t"`))
		gray := `{"match":{"percent":10},"values":{"_environment/prod/db":"{\"port\":1e9}"}}`
		wantRefused(t, c, `key "_environment/prod/db": "db/port": maximum: 1e9 is more than 65535 (the schema is that of "db", for environment "prod", gray "try")`, Edit{Kind: KindGray, Key: "try", Value: &gray})
		gray = `{"match":{"percent":10},"values":{"_environment/prod/db":"{\"port\":5}"}}`
		release(t, c, Edit{Kind: KindGray, Key: "try", Value: &gray})
		wantRefused(t, c, `key "_environment/prod/db": "db/port": maximum: 5 is more than 4 (the schema is that of "db", for environment "prod", gray "try")`, schemaAt("db", strings.Replace(portSchema, "65535", "4", 1)))
	})

	t.Run("secrets", func(t *testing.T) {
		c := open(t, e.Addr(), "secrets")
		release(t, c, schemaAt("db", `{"properties":{"key":{"type":"string","minLength":16,"writeOnly":true}}}`))
		wantRefused(t, c, `key "db": "db/key": minLength: it has 7 characters, and needs 16 (the schema is that of "db")`, Put("db", `{"key":"hunter2"}`))
		release(t, c, Put("db", `{"key":"rollcall-secret:1:0123456789abcdef:`+strings.Repeat("A", 107)+`"}`))
	})
}

// TestReleasesThatAreWrongTogether: each of two is fine alone, and they meet between the
// judgement of one and its transaction.
func TestReleasesThatAreWrongTogether(t *testing.T) {
	t.Parallel()
	e := testkit.StartEtcd(t)
	client := e.Client(t)
	either := schemaAt("db", `{"anyOf":[{"required":["user"]},{"required":["token"]}]}`)
	for namespace, tt := range map[string]struct{ first, one, other []Edit }{
		"a-value-and-its-schema":        {nil, []Edit{Put("db", `{"port":"x"}`)}, []Edit{schemaAt("db", portSchema)}},
		"a-schema-and-its-value":        {nil, []Edit{schemaAt("db", portSchema)}, []Edit{Put("db", `{"port":"x"}`)}},
		"two-values":                    {[]Edit{schemaAt("db", `{"maxProperties":1}`)}, []Edit{Put("db/a", "1")}, []Edit{Put("db/b", "1")}},
		"two-deletions":                 {[]Edit{either, Put("db/host", "1"), Put("db/user", "1"), Put("db/token", "1")}, []Edit{Delete("db/user")}, []Edit{Delete("db/token")}},
		"a-layer-and-what-lies-below":   {[]Edit{schemaAt("db", portSchema), Put("_service/s/db/port", "1"), Put("db", `{"port":2}`)}, []Edit{Put("db", `{"host":1}`)}, []Edit{Delete("_service/s/db/port")}},
		"a-deletion-and-another-schema": {[]Edit{Put("db", `{"port":1}`), Put("db2", "1")}, []Edit{schemaAt("", `{"required":["db"]}`)}, []Edit{Delete("db")}},
	} {
		t.Run(namespace, func(t *testing.T) {
			t.Parallel()
			other := open(t, e.Addr(), namespace)
			if tt.first != nil {
				release(t, other, tt.first...)
			}
			asked := 0
			c := open(t, e.Addr(), namespace, Checked(func(ctx context.Context, p *Preview) error {
				if asked++; asked == 1 {
					release(t, other, tt.other...)
				}
				return nil
			}))
			var refused *SchemaError
			if _, err := c.Release(t.Context(), Draft{Edits: tt.one}); !errors.As(err, &refused) || asked != 1 {
				t.Errorf("asked %d times: %v", asked, err)
			}
		})
	}
	t.Run("past the center", func(t *testing.T) {
		asked := 0
		c := open(t, e.Addr(), "past", Checked(func(context.Context, *Preview) error {
			if asked++; asked == 1 {
				past(t, client, "/past/micro/config/db", `{"port":"x"}`)
			}
			return nil
		}))
		var refused *SchemaError
		if _, err := c.Release(t.Context(), Draft{Edits: []Edit{schemaAt("db", portSchema)}}); !errors.As(err, &refused) {
			t.Error(err)
		}
	})
}

// TestManyAtOnceKeepASchema: of many who change what one schema judges, as many come
// through as it takes.
func TestManyAtOnceKeepASchema(t *testing.T) {
	t.Parallel()
	e := testkit.StartEtcd(t)
	c := open(t, e.Addr(), "many")
	release(t, c, schemaAt("db", `{"maxProperties":3}`))
	type outcome struct{ err error }
	outcomes := make(chan outcome)
	keys := strings.Split("abcdefgh", "")
	for _, key := range keys {
		go func() {
			_, err := c.Release(t.Context(), Draft{Edits: []Edit{Put("db/"+key, "1")}})
			outcomes <- outcome{err}
		}()
	}
	var errs []error
	for range keys {
		if o := <-outcomes; o.err != nil {
			errs = append(errs, o.err)
		}
	}
	if len(errs) != len(keys)-3 || len(tree(t, c)) != 3 {
		t.Errorf("%d are refused: %v", len(errs), errs)
	}
	if slices.ContainsFunc(errs, func(err error) bool { var refused *SchemaError; return !errors.As(err, &refused) }) {
		t.Error(errs)
	}
}

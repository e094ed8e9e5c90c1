package main

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/rollcall-go/micro/config/center"
)

// schemaCommand groups what is done about schemas.
func schemaCommand() *cli.Command {
	return &cli.Command{
		Name:  "schema",
		Usage: "say what values have to be",
		Subcommands: []*cli.Command{
			configSub("set", "PATH FILE", "set a schema", `Sets what the values at and below PATH have to be, as programs read them, all layers
over one another: a JSON Schema, of the drafts 4 to 2020-12. FILE may be - for standard
input, PATH / for everything. The PATH of a layer, as in _service/shop/database, is for
those who have that layer. Releases that violate a schema are refused, and so is a schema
that present values violate, unless by --force, which says which do.

   micro config schema set database database.schema.json --comment "as of 1.4"
   micro config schema set database new.json --dry-run --force`, 2, 2, setSchema, writeFlags()...),
			configSub("get", "PATH", "print a schema", `Prints the schema as it was set.

   micro config schema get database`, 1, 1, getSchema),
			configSub("list", "[PATH]", "list schemas", `Lists the schemas at and below PATH, or all there are, and who published them.

   micro config schema list`, 0, 1, listSchemas),
			configSub("del", "PATH...", "delete schemas", `Deletes all these schemas at once: one release.

   micro config schema del database`, 1, many, deleteSchemas, writeFlags()...),
		},
	}
}

// schemaKey is the key that an argument means.
func schemaKey(arg string) string { return strings.Trim(arg, "/") }

func setSchema(s *configSession) error {
	text, err := fileOf(s.Context, s.Args().Get(1))
	if err != nil {
		return fmt.Errorf("read the schema: %w", err)
	}
	value := strings.TrimSpace(string(text))
	return s.release(center.Draft{Edits: []center.Edit{{Kind: center.KindSchema, Key: schemaKey(s.Args().First()), Value: &value}}})
}

func getSchema(s *configSession) error {
	e, err := s.GetOf(s.Context.Context, center.KindSchema, schemaKey(s.Args().First()))
	if err != nil {
		return err
	}
	return show(s.Context, oneEntry(e))
}

func listSchemas(s *configSession) error {
	all, err := s.ListOf(s.Context.Context, center.KindSchema, s.path())
	if err != nil {
		return err
	}
	return show(s.Context, schemaEntries(all))
}

func deleteSchemas(s *configSession) error {
	var d center.Draft
	for _, arg := range s.Args().Slice() {
		seen, err := s.GetOf(s.Context.Context, center.KindSchema, schemaKey(arg))
		if err != nil {
			return err
		}
		d.Edits = append(d.Edits, center.Edit{Kind: center.KindSchema, Key: seen.Key, Seen: &seen})
	}
	return s.release(d)
}

type schemaEntries []center.Entry

var _ result = schemaEntries{}

func (all schemaEntries) value() any { return append([]center.Entry{}, all...) }

func (all schemaEntries) table(w screen) error {
	t := newTable(w, "", "PATH", "PUBLISHED", "BYTES", "REVISION")
	for _, e := range all {
		path, published := e.Key, ""
		if path == "" {
			path = "/"
		}
		if by, ok := center.PublishedBy(e.Value); ok {
			published = fmt.Sprintf("by %s %s", by.Service, by.Version)
		}
		t.row(path, published, strconv.Itoa(len(e.Value)), strconv.FormatInt(e.Revision, 10))
	}
	return t.flush()
}

package main

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/rollcall-go/micro/config/center"
)

func setConfig(s *configSession) error {
	edits, err := s.valuesOf(s.Args().Slice())
	if err != nil {
		return err
	}
	return s.release(center.Draft{Edits: edits})
}

// valuesOf returns what pairs of KEY and VALUE set.
func (s *configSession) valuesOf(args []string) (edits []center.Edit, err error) {
	if len(args)%2 != 0 {
		return nil, usagef("the key %q has no value: give pairs of KEY and VALUE", args[len(args)-1])
	}
	for pair := range slices.Chunk(args, 2) {
		value := pair[1]
		if value == "-" {
			text, err := readAll(s.Context.Context, s.App.Reader)
			if err != nil {
				return nil, fmt.Errorf("read the value of %q from standard input: %w", pair[0], err)
			}
			value = strings.TrimSpace(string(text))
		}
		edits = append(edits, center.Put(pair[0], value))
	}
	return edits, nil
}

func deleteConfig(s *configSession) error {
	var d center.Draft
	for _, key := range s.Args().Slice() {
		seen, err := s.Get(s.Context.Context, key)
		if err != nil {
			return err
		}
		edit := center.Delete(key)
		edit.Seen = &seen
		d.Edits = append(d.Edits, edit)
	}
	return s.release(d)
}

func rollBack(s *configSession) error {
	var number int64
	if _, err := fmt.Sscanf(s.Args().First()+"\n", "%d\n", &number); err != nil || number < 1 {
		return usagef("invalid release %q: give a number that `micro config history` shows", s.Args().First())
	}
	under, err := pathArgument(s.Context, 1)
	if err != nil {
		return err
	}
	d, err := s.RollbackUnder(s.Context.Context, number, under)
	if err != nil {
		return inHistory(err)
	}
	return s.release(d)
}

func exportConfig(s *configSession) error {
	all, err := s.List(s.Context.Context, s.path())
	if err != nil {
		return err
	}
	s.noteNothing(all)
	t := center.Tree{}
	for _, e := range all {
		t[e.Key] = e.Value
	}
	text, err := encoded(t, s.String("format"))
	if err != nil {
		return fmt.Errorf("export the configuration: %w", err)
	}
	_, err = stdout(s.Context).Write(text)
	return err
}

// encoded writes a tree so that a terminal can show it. The format is JSON if it is empty.
func encoded(t center.Tree, format string) ([]byte, error) {
	text, err := center.Encode(t, cmp.Or(format, "json"))
	if err != nil {
		return nil, err
	}
	if format == "" || format == "json" {
		return escaped(text), nil
	}
	if bytes.ContainsFunc(text, func(r rune) bool { return r != '\n' && visible(r) != r }) {
		return nil, fmt.Errorf("it has characters that cannot be shown, and %s does not escape them; choose json", format)
	}
	return text, nil
}

// readTree reads a file that export wrote.
func readTree(c *cli.Context, name string) (center.Tree, error) {
	format := c.String("format")
	if format == "" {
		if format = strings.TrimPrefix(filepath.Ext(name), "."); format == "" {
			return nil, usagef("it is not clear what %q is written in: give --format json, yaml or toml", name)
		}
	}
	if !isFormat(format) {
		return nil, usagef("the ending of %q is that of no format that is known: give --format json, yaml or toml", name)
	}
	text, err := fileOf(c, name)
	if err != nil {
		return nil, err
	}
	t, err := center.Decode(text, format)
	if err != nil {
		return nil, fmt.Errorf("file %q: %w", name, err)
	}
	return t, nil
}

func importConfig(s *configSession) error {
	wanted, err := readTree(s.Context, s.Args().First())
	if err != nil {
		return err
	}
	if len(wanted) == 0 && s.IsSet("delete") { // as one that was cut short
		return fmt.Errorf("import %q: it has no keys, so all at and below %q would be deleted: say that by `micro config del`", s.Args().First(), s.String("delete"))
	}
	all, err := s.Entries(s.Context.Context, slices.Collect(maps.Keys(wanted))...)
	if err != nil {
		return err
	}
	if s.IsSet("delete") {
		below, err := s.List(s.Context.Context, strings.Trim(s.String("delete"), "/"))
		if err != nil {
			return err
		}
		all = append(all, below...)
	}
	return s.release(drafted(all, wanted))
}

// drafted returns the draft by which entries become a tree: those that are not in it are
// deleted.
func drafted(all []center.Entry, wanted center.Tree) (d center.Draft) {
	now, seen := center.Tree{}, make(map[string]center.Entry)
	for _, e := range all {
		now[e.Key], seen[e.Key] = e.Value, e
	}
	for _, change := range center.Different(now, wanted) {
		entry := seen[change.Key]
		d.Edits = append(d.Edits, center.Edit{Key: change.Key, Value: change.After, Seen: &entry})
	}
	return d
}

package main

import (
	"bytes"
	"encoding/json"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/urfave/cli/v2"
)

// result is what a command has to say, in the form that is wanted.
type result interface {
	// table writes it for people.
	table(screen) error
	// value returns what is printed as JSON, for programs.
	value() any
}

// show prints a result on standard output in the form that the flags ask for.
func show(c *cli.Context, r result) error {
	if wantsJSON(c) {
		return printJSON(stdout(c), r.value())
	}
	return r.table(stdout(c))
}

func stdout(c *cli.Context) screen { return c.App.Writer.(screen) }
func stderr(c *cli.Context) screen { return c.App.ErrWriter.(screen) }

// outputFlag returns the flag that chooses the form of the result. Commands that
// have it check it by arguments.
func outputFlag() cli.Flag {
	return &cli.StringFlag{Name: outputName, Aliases: []string{"o"}, Value: "table",
		Usage: "print the result as `FORM`: table or json"}
}

const outputName = "output"

// checkOutput reports a form that there is not.
func checkOutput(c *cli.Context) error {
	switch form := c.String(outputName); form {
	case "json", "table", "": // the last where a command has no such flag
		return nil
	default:
		return usagef("invalid value %q for \"--output\": choose table or json", form)
	}
}

func wantsJSON(c *cli.Context) bool { return c.String(outputName) == "json" }

// printJSON writes v over several lines.
func printJSON(w io.Writer, v any) error { return writeJSON(w, v, "  ") }

// writeJSON writes v and ends the line. Without an indent that is all on one line.
func writeJSON(w io.Writer, v any, indent string) error {
	var text bytes.Buffer
	e := json.NewEncoder(&text)
	e.SetEscapeHTML(false)
	e.SetIndent("", indent)
	if err := e.Encode(v); err != nil {
		return err
	}
	_, err := w.Write(escaped(text.Bytes()))
	return err
}

// table collects rows and aligns their columns.
type table struct {
	w      *tabwriter.Writer
	indent string
}

// newTable returns a table with a line of titles. Its indent stands in front of
// every line.
func newTable(w io.Writer, indent string, titles ...string) *table {
	t := &table{tabwriter.NewWriter(w, 0, 8, 2, ' ', 0), indent}
	t.row(titles...)
	return t
}

// row adds a line. Nothing in a cell can break the line, or the table.
func (t *table) row(cells ...string) {
	shown := make([]string, len(cells))
	for i, cell := range cells {
		if shown[i] = printable(cell); cell == "" {
			shown[i] = "-"
		}
	}
	// An error of the writer comes back from Flush.
	_, _ = io.WriteString(t.w, t.indent+strings.Join(shown, "\t")+"\n")
}

func (t *table) flush() error { return t.w.Flush() }

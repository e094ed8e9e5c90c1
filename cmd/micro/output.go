package main

import (
	"encoding/json"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"unicode"

	"github.com/urfave/cli/v2"
)

// outputFlag returns the flag that chooses the form of the result.
func outputFlag() cli.Flag {
	return &cli.StringFlag{Name: "output", Aliases: []string{"o"}, Value: "table",
		Usage: "print the result as `FORM`: table or json"}
}

// wantsJSON reads the flag of outputFlag.
func wantsJSON(c *cli.Context) (bool, error) {
	switch form := c.String("output"); form {
	case "json":
		return true, nil
	case "table":
		return false, nil
	default:
		return false, usagef("invalid value %q for \"--output\": choose table or json", form)
	}
}

// printJSON writes v over several lines.
func printJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
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

// row adds a line. What a cell holds was written by others: nothing in it can
// break the line or reach the terminal as a command.
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

// printable keeps a text on one line of a terminal.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return '?'
	}, s)
}

// isTerminal reports whether a person reads what is written to w.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	if err != nil || info.Mode()&os.ModeCharDevice == 0 {
		return false
	}
	null, err := os.Stat(os.DevNull)
	return err != nil || !os.SameFile(info, null)
}

// dim makes a text less prominent on a terminal.
func dim(w io.Writer, s string) string {
	if !isTerminal(w) || os.Getenv("NO_COLOR") != "" || os.Getenv("TERM") == "dumb" {
		return s
	}
	return "\x1b[2m" + s + "\x1b[0m"
}

package cmd

import (
	"slices"
	"strings"

	"github.com/urfave/cli/v2"
)

// helpTemplate shows an application as the library does, but for its flags: they are
// rendered by manual, as the library would sort the groups and write lines of any length.
const helpTemplate = `NAME:
   {{.Name}}{{if .Usage}} - {{.Usage}}{{end}}

USAGE:
   {{if .UsageText}}{{.UsageText}}{{else}}{{.HelpName}} [flags]{{if .VisibleCommands}} [command]{{end}}{{if .ArgsUsage}} {{.ArgsUsage}}{{end}}{{end}}{{if .Version}}

VERSION:
   {{.Version}}{{end}}{{if .Description}}

DESCRIPTION:
   {{.Description}}{{end}}{{if .VisibleCommands}}

COMMANDS:{{range .VisibleCommands}}
   {{join .Names ", "}}{{"\t"}}{{.Usage}}{{end}}{{end}}
{{ExtraInfo.flags}}{{if .Copyright}}
COPYRIGHT:
   {{.Copyright}}
{{end}}`

// helpWidth is how many columns the help takes of a terminal.
const helpWidth = 80

// programGroup is the heading of flags that the program declared without one.
const programGroup = "This program"

// group is a heading and the flags below it.
type group struct {
	name  string
	flags []cli.Flag
}

// grouped returns the flags that are shown, by category in the order in which the first of
// each comes. Flags without a category come below the name.
func grouped(flags []cli.Flag, name string) []group {
	var groups []group
	for _, f := range flags {
		if v, ok := f.(cli.VisibleFlag); ok && !v.IsVisible() {
			continue
		}
		under := name
		if c, ok := f.(cli.CategorizableFlag); ok && c.GetCategory() != "" {
			under = c.GetCategory()
		}
		i := slices.IndexFunc(groups, func(g group) bool { return g.name == under })
		if i < 0 {
			i, groups = len(groups), append(groups, group{name: under})
		}
		groups[i].flags = append(groups[i].flags, f)
	}
	return groups
}

// manual renders the flags for the help: those of the program first.
func (c *command) manual() map[string]string {
	var own, theirs []cli.Flag
	for _, f := range c.app.Flags {
		if slices.Contains(c.own, f) {
			own = append(own, f)
		} else {
			theirs = append(theirs, f)
		}
	}
	var b strings.Builder
	for _, g := range append(grouped(theirs, programGroup), grouped(own, "Service")...) {
		b.WriteString("\n" + strings.ToUpper(g.name) + ":\n")
		for _, f := range g.flags {
			// The library's own rendering: names, a tab, and the meaning with default and variable.
			names, meaning, _ := strings.Cut(f.String(), "\t")
			b.WriteString("   " + names + "\n")
			wrap(&b, meaning, "         ")
		}
	}
	return map[string]string{"flags": b.String()}
}

// wrap writes the words in lines that are not wider than the help, each behind the indent.
func wrap(b *strings.Builder, text, indent string) {
	line := ""
	for _, word := range strings.Fields(text) {
		if line != "" && len(indent)+len(line)+1+len(word) > helpWidth {
			b.WriteString(indent + line + "\n")
			line = ""
		}
		if line != "" {
			line += " "
		}
		line += word
	}
	if line != "" {
		b.WriteString(indent + line + "\n")
	}
}

// explain has the help shown by the template above, unless the program has one of its own.
func (c *command) explain() {
	if c.app.CustomAppHelpTemplate == "" && c.app.ExtraInfo == nil {
		c.app.CustomAppHelpTemplate = helpTemplate
		c.app.ExtraInfo = c.manual
	}
}

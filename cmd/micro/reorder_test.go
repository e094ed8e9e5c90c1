package main

import (
	"bytes"
	"slices"
	"strings"
	"testing"
)

func TestReorderFlags(t *testing.T) {
	app := newApp(new(bytes.Buffer), new(bytes.Buffer))
	for given, want := range map[string]string{
		"":                      "",
		"list services":         "list services",
		"-o json list services": "list services -o json",
		"get service a -o json": "get service -o json a",
		"--registry_address x get --timeout=1s service a": "get service --registry_address x --timeout=1s a",
		"call a b {} -H k=v -H l=w":                       "call -H k=v -H l=w a b {}",
		"call a b -":                                      "call a b -",
		"call a b -- -1 -o":                               "call -- a b -1 -o",
		"config set a -5 b -0.5 -o json":                  "config set -o json a -5 b -0.5",
		"get service -- -x":                               "get service -- -x",
		"get service -o json -- -x":                       "get service -o json -- -x",
		"demo --once":                                     "demo --once",
		"--once demo extra":                               "demo --once extra",
		"get service list":                                "get service list",
		"get service demo services":                       "get service demo services",
		"--end_with_stdin server --address x":             "--end_with_stdin server --address x",
		"list -o":                                         "list -o",
		"--registry_address x nonsense":                   "--registry_address x nonsense",
		"--version":                                       "--version",
		"--version list services":                         "--version list services",
		"config gray set g --version 1.0 k 1":             "config gray set --version 1.0 g k 1",
		"help":                                            "help",
		"help list":                                       "list --help",
		"h node pause":                                    "node pause --help",
		"help nonsense":                                   "nonsense --help",
	} {
		args := append([]string{"micro"}, strings.Fields(given)...)
		if got := reorderFlags(app, args); !slices.Equal(got, append([]string{"micro"}, strings.Fields(want)...)) {
			t.Errorf("%q became %q", given, got)
		}
	}
	if got := reorderFlags(app, nil); got != nil {
		t.Errorf("nothing became %q", got)
	}
}

// The place of a flag must not depend on the command: a name takes a value in all
// commands, or in none.
func TestFlagsMeanTheSameEverywhere(t *testing.T) {
	app := newApp(new(bytes.Buffer), new(bytes.Buffer))
	takes := map[string]bool{}
	for _, c := range append(slices.Clone(app.Commands), slices.Concat(
		find(app.Commands, "list").Subcommands, find(app.Commands, "get").Subcommands, find(app.Commands, "node").Subcommands)...) {
		for _, f := range c.Flags {
			for _, name := range f.Names() {
				if before, there := takes[name]; there && before != takesValue(f) {
					t.Errorf("the flag %q of %q takes a value elsewhere, or does not", name, c.Name)
				}
				takes[name] = takesValue(f)
			}
		}
	}
	if len(takes) < 10 {
		t.Errorf("looked at %d flags only", len(takes))
	}
}

func TestHelpOfEveryCommand(t *testing.T) {
	for _, name := range []string{"list", "list services", "get", "get service", "call", "watch", "node", "node pause", "node resume", "demo"} {
		code, stdout, stderr := micro(t, append(strings.Fields(name), "--help")...)
		if code != exitOK || stderr != "" || !strings.Contains(stdout, "USAGE:") {
			t.Errorf("%q: exit code %d, stderr %q, stdout\n%s", name, code, stderr, stdout)
		}
		if strings.Contains(stdout, "demo-") || strings.Contains(stdout, childName) {
			t.Errorf("%q shows what is for the demo's own use:\n%s", name, stdout)
		}
	}
}

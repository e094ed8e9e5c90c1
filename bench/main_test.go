package main

import (
	"fmt"
	"os"
	"testing"
)

// TestMain lets the test's program be a part, as the command is.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == partCommand {
		if err := servePart(os.Args[2:]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// Each measurement runs, however little it measures then. The size is left out: it
// compiles a program.
func TestMeasurements(t *testing.T) {
	for _, m := range measurements {
		if m.name == "size" {
			continue
		}
		t.Run(m.name, func(t *testing.T) {
			if err := command([]string{m.name, "-short", "-for", "6ms", "-rounds", "1", "-nodes", "50"}); err != nil {
				t.Error(err)
			}
		})
	}
	if err := command([]string{"nothing"}); err == nil {
		t.Error("a measurement that does not exist is made")
	}
	for _, flag := range []string{"-for=1us", "-rounds=0", "-nodes=1"} {
		if err := command([]string{"lookup", flag}); err == nil {
			t.Errorf("measured with %s", flag)
		}
	}
}

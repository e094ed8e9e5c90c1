package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/rollcall-go/micro/internal/doctor"
)

func doctorCommand() *cli.Command {
	return &cli.Command{
		Name:  "doctor",
		Usage: "find out what is wrong with the registry, and how to mend it",
		Description: `Looks at the etcd (reachable, TLS, login, rights, leader and members, advertised
URLs, size of the database, alarms, release) and at every registered node (record,
lease, address, duplicates, pauses), from this host. Prints a finding a line with
its code, and how to mend what is not ok. It only reads, and is done within the
timeout. The exit code is 1 if there is a problem; a warning is none.

   micro doctor --registry_address=10.0.0.1:2379,10.0.0.2:2379,10.0.0.3:2379
   micro doctor -o json`,
		Flags:  append(registryFlags(10*time.Second), outputFlag()),
		Before: arguments(0, 0),
		Action: runDoctor,
	}
}

func runDoctor(c *cli.Context) error {
	asJSON, err := wantsJSON(c)
	if err != nil {
		return err
	}
	p, err := targetOf(c)
	if err != nil {
		return err
	}
	findings := doctor.Examine(c.Context, p.config())
	if asJSON {
		err = printJSON(c.App.Writer, findings)
	} else {
		err = printFindings(c.App.Writer, findings)
	}
	if err == nil && count(findings, doctor.Problem) > 0 {
		err = errReported // on standard output: the findings are the result
	}
	return err
}

// printFindings prints them in the order in which they were made, which goes from
// the network upwards, and sums them up.
func printFindings(w io.Writer, findings []doctor.Finding) error {
	var text strings.Builder
	for _, f := range findings {
		fmt.Fprintf(&text, "%-9s%s: %s [%s]\n", f.Level, printable(f.Subject), printable(f.Cause), f.Code)
		if f.Fix != "" {
			fmt.Fprintf(&text, "         fix: %s\n", printable(f.Fix))
		}
	}
	fmt.Fprintf(&text, "\n%s, %s, %d ok\n", plural(count(findings, doctor.Problem), "problem"), plural(count(findings, doctor.Warning), "warning"), count(findings, doctor.OK))
	_, err := io.WriteString(w, text.String())
	return err
}

func count(findings []doctor.Finding, level doctor.Level) int {
	n := 0
	for _, f := range findings {
		if f.Level == level {
			n++
		}
	}
	return n
}

func plural(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

// Command report turns the output of go test -json into what a person wants to
// read: a line per package, the output of what failed, and at the end how many
// tests passed, failed and were skipped, and why; and what registries cannot do, as
// registry/registrytest says in lines that begin with LACKS-ABILITY.
//
//	go test -json ./... | report
//
// It exits with 1 if a test or a package failed or no test ran at all.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
)

func main() {
	r := newReport(os.Stdout)
	if err := r.read(os.Stdin); err != nil {
		fmt.Fprintln(os.Stderr, "report:", err)
		os.Exit(1)
	}
	if !r.close() {
		os.Exit(1)
	}
}

// event is one line of go test -json; go doc test2json describes it.
type event struct {
	Action, Package, ImportPath, Test, Output string
	Elapsed                                   float64
}

type report struct {
	out                     io.Writer
	passed, failed, skipped int
	broken                  []string            // packages that failed without a failing test
	output                  map[string][]string // of tests that have not ended
	reasons                 map[string]int      // why tests were skipped
	lacks                   map[string]int      // what backends cannot do, by backend and ability
	failures                map[string]bool     // packages with a failed test
	again                   []string            // what failed, in short
}

func newReport(out io.Writer) *report {
	return &report{out: out, output: map[string][]string{}, reasons: map[string]int{}, lacks: map[string]int{}, failures: map[string]bool{}}
}

func (r *report) read(in io.Reader) error {
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var e event
		if json.Unmarshal(lines.Bytes(), &e) != nil {
			// The go command itself had something to say.
			fmt.Fprintln(r.out, lines.Text())
			continue
		}
		r.event(e)
	}
	return lines.Err()
}

func (r *report) event(e event) {
	key := e.Package + " " + e.Test
	switch e.Action {
	case "output":
		r.output[key] = append(r.output[key], e.Output)
		if what, ok := strings.CutPrefix(e.Output, "LACKS-ABILITY "); ok {
			what, _, _ = strings.Cut(what, ":")
			r.lacks[what]++
		}
	case "build-output":
		fmt.Fprint(r.out, e.Output)
	case "pass", "skip", "fail":
		if e.Test == "" {
			r.pkg(e, r.output[key])
		} else {
			r.test(e, r.output[key])
		}
		delete(r.output, key)
	}
}

func (r *report) test(e event, output []string) {
	switch e.Action {
	case "pass":
		r.passed++
	case "fail":
		r.failed++
		r.failures[e.Package] = true
		r.fail("FAIL", e.Package, e.Test, output)
	case "skip":
		r.skipped++
		r.reasons[reason(output)]++
	}
}

// shown is how much of a failed test's output comes again at the end, in lines.
const shown = 30

func (r *report) fail(how, pkg, test string, output []string) {
	head := fmt.Sprintf("--- %s: %s %s\n", how, pkg, test)
	fmt.Fprint(r.out, head, strings.Join(output, ""))
	if len(r.again) < 5 {
		r.again = append(r.again, head+strings.TrimRight(strings.Join(output[:min(shown, len(output))], ""), "\n"))
	}
}

// reason finds what a skipped test said last.
func reason(output []string) string {
	for _, line := range slices.Backward(output) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "---") || strings.HasPrefix(line, "===") {
			continue
		}
		// Behind the position of the call: file.go:12: reason.
		if _, after, ok := strings.Cut(line, ".go:"); ok {
			_, line, _ = strings.Cut(after, ": ")
		}
		return line
	}
	return "no reason given"
}

func (r *report) pkg(e event, output []string) {
	switch {
	case e.Action == "skip":
		return // no test files
	case e.Action == "fail" && !r.failures[e.Package]:
		r.broken = append(r.broken, e.Package)
		fmt.Fprint(r.out, strings.Join(output, ""))
		r.unfinished(e.Package)
	}
	fmt.Fprintf(r.out, "%-4s %6.1fs  %s\n", e.Action, e.Elapsed, e.Package)
}

// unfinished prints what the tests said that a package ended in: a panic of a
// goroutine is the output of the test that ran, which never fails by name.
func (r *report) unfinished(pkg string) {
	for _, key := range slices.Sorted(maps.Keys(r.output)) {
		if test, ok := strings.CutPrefix(key, pkg+" "); ok && test != "" {
			r.fail("UNFINISHED", pkg, test, r.output[key])
			delete(r.output, key)
		}
	}
}

// close prints the count and reports whether all is well. The last lines of what
// failed come again: a log that was cut short keeps its end.
func (r *report) close() bool {
	for _, b := range r.broken {
		fmt.Fprintf(r.out, "package failed: %s\n", b)
	}
	for _, f := range r.again {
		fmt.Fprintln(r.out, f)
	}
	fmt.Fprintf(r.out, "tests: %d passed, %d failed, %d skipped\n", r.passed, r.failed+len(r.broken), r.skipped)
	if r.skipped > 0 {
		var why []string
		for _, k := range slices.Sorted(maps.Keys(r.reasons)) {
			why = append(why, fmt.Sprintf("%d: %s", r.reasons[k], k))
		}
		fmt.Fprintf(r.out, "skipped %s\n", strings.Join(why, "; "))
	}
	if len(r.lacks) > 0 {
		var what []string
		for _, k := range slices.Sorted(maps.Keys(r.lacks)) {
			what = append(what, fmt.Sprintf("%d: %s", r.lacks[k], k))
		}
		fmt.Fprintf(r.out, "abilities that backends lack %s\n", strings.Join(what, "; "))
	}
	return r.failed == 0 && len(r.broken) == 0 && r.passed > 0
}

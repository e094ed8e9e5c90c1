package compare_test

import (
	"bytes"
	"cmp"
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/rollcall-go/micro/interop/compare"
)

var update = flag.Bool("update", false, "write REPORT.md anew")

// Directories of the module that requires v2, and of this repository's root.
const (
	oldDir = "../v2peer"
	newDir = "../.."
)

func TestReport(t *testing.T) {
	var old, ours []string
	for _, p := range compare.Paths {
		if p.By != "" || p.Why != "" {
			continue
		}
		old = append(old, strings.TrimSuffix(compare.Old+"/"+p.Old, "/."))
		ours = append(ours, strings.TrimSuffix(compare.New+"/"+cmp.Or(p.New, p.Old), "/."))
	}
	before, err := compare.Load(oldDir, old...)
	if err != nil {
		t.Fatal(err)
	}
	after, err := compare.Load(newDir, ours...)
	if err != nil {
		t.Error(err)
	}
	all, err := compare.List(oldDir, compare.Old+"/...")
	if err != nil {
		t.Fatal(err)
	}
	accounts, stale := compare.Compare(before, after, compare.Paths, compare.Reasons)
	if len(accounts) != len(old) {
		t.Errorf("compared %d packages, the table has %d", len(accounts), len(old))
	}
	for _, name := range stale {
		t.Errorf("the reason for %q explains nothing any more: remove it", name)
	}
	var report bytes.Buffer
	if err := compare.Report(&report, accounts, all, compare.Paths); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(report.String()) {
		if strings.Contains(line, string(compare.Unexplained)) {
			t.Errorf("no account: %s", line)
		}
	}
	for _, a := range accounts {
		for _, r := range a.Rows {
			if r.Verdict == compare.Unexplained {
				t.Errorf("no account of %s\n\tin v2: %s\n\there:  %s", r.Name, r.Old, r.New)
			}
		}
	}
	if *update {
		if err := os.WriteFile("REPORT.md", report.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile("REPORT.md")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(want, report.Bytes()) {
		t.Errorf("REPORT.md is not what the comparison finds; `go test ./compare -update` writes it anew. First difference:\n%s", firstDifference(string(want), report.String()))
	}
}

func firstDifference(want, got string) string {
	a, b := strings.Split(want, "\n"), strings.Split(got, "\n")
	for i := range max(len(a), len(b)) {
		switch {
		case i >= len(a):
			return "+ " + b[i]
		case i >= len(b):
			return "- " + a[i]
		case a[i] != b[i]:
			return "- " + a[i] + "\n+ " + b[i]
		}
	}
	return ""
}

package guard

import (
	_ "embed"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const root = "../.."

//go:embed contexts.txt
var contexts string

// notLibrary matches files that no program links: tests and what tests are made of.
var notLibrary = regexp.MustCompile(`_test\.go$|^(tools|bench|interop|examples|e2e|faults|internal/testkit|registry/registrytest)/`)

func source(t *testing.T) []string {
	t.Helper()
	all, err := files(root)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestNoSleeps(t *testing.T) {
	found, err := Sleeps(root, source(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range found {
		t.Error(f)
	}
}

func TestRootContexts(t *testing.T) {
	library := slices.DeleteFunc(source(t), notLibrary.MatchString)
	found, err := RootContexts(root, library, contexts)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range found {
		t.Error(f)
	}
}

// write makes a directory with one file of this content.
func write(t *testing.T, name, text string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestSleepsFindsWhatWasPlanted(t *testing.T) {
	const file = "a_test.go"
	dir := write(t, file, `package a

import ("testing"; "testing/synctest"; "time")

func TestA(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { time.Sleep(1) })
	time.Sleep(2)
}

func helper() { time.Sleep(3) }
`)
	found, err := Sleeps(dir, []string{file})
	if err != nil || len(found) != 2 || !strings.HasPrefix(found[0], "a_test.go:7:") || !strings.HasPrefix(found[1], "a_test.go:10:") {
		t.Errorf("found %q, %v: want the sleeps of lines 7 and 10", found, err)
	}
}

func TestRootContextsFindsWhatWasPlanted(t *testing.T) {
	const file = "a.go"
	dir := write(t, file, `package a

import "context"

// A comment nearby is no excuse.
func (c *C[T]) Wait() { _ = context.Background() }

func good() { _ = context.Background() }
`)
	found, err := RootContexts(dir, []string{file}, "# comment\na.go good ended by nobody\na.go gone was there once\n")
	slices.Sort(found)
	if err != nil || len(found) != 2 || !strings.HasPrefix(found[0], "a.go:6: context.Background in C.Wait") || !strings.Contains(found[1], "allows a.go gone") {
		t.Errorf("found %q, %v", found, err)
	}
	if _, err := RootContexts(dir, nil, "a.go good\n"); err == nil {
		t.Error("an entry without a reason is accepted")
	}
}

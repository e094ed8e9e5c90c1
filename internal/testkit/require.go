package testkit

import (
	"fmt"
	"io"
	"os"
	"testing"
)

// requireVariable, set to requireAll, turns a missing backend into a failure.
const (
	requireVariable = "REQUIRE_BACKENDS"
	requireAll      = "all"
)

// Require skips the test when a backend is not there, err being the reason, with a
// line on standard output that can be counted. With REQUIRE_BACKENDS=all it fails
// the test instead. A nil err goes on.
func Require(t testing.TB, backend string, err error) {
	t.Helper()
	require(t, os.Stdout, os.Getenv(requireVariable), backend, err)
}

func require(t testing.TB, out io.Writer, policy, backend string, err error) {
	t.Helper()
	if err == nil {
		return
	}
	if policy == requireAll {
		t.Fatalf("backend %q is required: %v", backend, err)
	}
	fmt.Fprintf(out, "SKIP-BACKEND %s: %v\n", backend, err)
	t.Skipf("backend %q is not there: %v", backend, err)
}

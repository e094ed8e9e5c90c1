// Package faults is the laboratory in which registration and discovery are put
// under every fault we know: one named test for each row of docs/FAULTS.md.
package faults

import (
	"flag"
	"os"
	"testing"

	"github.com/rollcall-go/micro/internal/testkit"
)

// atOnce is how many tests run at a time, unless -parallel says otherwise: they
// mostly wait, for leases to end and outages to last.
const atOnce = "4"

// TestMain runs the tests or, in a process that a test started for it, a node.
func TestMain(m *testing.M) {
	if os.Getenv(nodeVariable) != "" {
		runNode()
		return
	}
	if err := flag.Set("test.parallel", atOnce); err != nil {
		panic(err)
	}
	testkit.Main(m)
}

// Package faults is the laboratory in which registration and discovery are put
// under every fault we know: one named test for each row of docs/FAULTS.md.
package faults

import (
	"testing"

	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/internal/testkit/fleet"
)

// TestMain runs the tests or, in a process that a test started for it, a node.
func TestMain(m *testing.M) { fleet.Main(m, testkit.MainWaiting) }

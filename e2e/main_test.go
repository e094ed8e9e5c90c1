package e2e

import (
	"testing"

	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/internal/testkit/fleet"
)

// TestMain runs the tests or, in a process that a test started for it, a node.
func TestMain(m *testing.M) { fleet.Main(m, testkit.Main) }

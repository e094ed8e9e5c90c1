package micro

import (
	"testing"

	"github.com/rollcall-go/micro/internal/defaults"
	"github.com/rollcall-go/micro/internal/testkit"
)

// No test of this package sends to the networks of its host: the default is taken away
// here, and a test that is about it puts a memory in its place.
func TestMain(m *testing.M) {
	defaults.Registry.Set(nil)
	testkit.Main(m)
}

package registrytest

import (
	"fmt"
	"os"
	"testing"

	"github.com/rollcall-go/micro/registry"
)

// lacks skips the rest of the test because the backend cannot do what it is about,
// with a line on standard output that can be counted.
func (s *suite) lacks(t *testing.T, r registry.Registry, what, why string) {
	t.Helper()
	s.says(r, what, why)
	t.Skip(why)
}

// says writes the line of what the backend cannot do, where the rest of the test goes
// on.
func (s *suite) says(r registry.Registry, what, why string) {
	fmt.Fprintf(os.Stdout, "LACKS-ABILITY %s %s: %s\n", r, what, why)
}

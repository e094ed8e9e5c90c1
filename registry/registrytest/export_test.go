package registrytest

import (
	"testing"

	"github.com/rollcall-go/micro/registry"
)

// Names returns the names of the tests.
func Names() (names []string) {
	for _, sentence := range contract {
		names = append(names, sentence.name)
	}
	return names
}

// RunOne runs one test of the suite as t.
func RunOne(t *testing.T, name string, open func(t *testing.T) registry.Registry, opts ...Option) {
	for _, sentence := range contract {
		if sentence.name == name {
			sentence.test(newSuite(open, opts), t)
			return
		}
	}
	t.Fatalf("the suite has no test %q", name)
}

package testkit

import (
	"testing"

	"go.uber.org/goleak"
)

// Main runs the tests of a package and fails if goroutines are left behind. It is
// the whole of the package's TestMain and ends the process.
func Main(m *testing.M) {
	goleak.VerifyTestMain(m)
}

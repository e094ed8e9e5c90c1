package testkit

import (
	"flag"
	"runtime"
	"strconv"
	"testing"

	"go.uber.org/goleak"
)

// Main runs the tests of a package and fails if goroutines are left behind. It is
// the whole of the package's TestMain and ends the process.
func Main(m *testing.M) {
	goleak.VerifyTestMain(thenStop{m})
}

// thenStop runs the tests of a package and then stops what they shared.
type thenStop struct{ *testing.M }

// Run returns the exit code of the tests.
func (m thenStop) Run() int {
	defer stopSharedConsul()
	return m.M.Run()
}

// waitingAtOnce is how many tests of a package that mostly waits run at once.
const waitingAtOnce = 4

// MainWaiting is Main for a package whose parallel tests mostly wait, for leases
// to run out and the like: at least four of them run at once, however few
// processors there are. The flag -parallel overrides that.
func MainWaiting(m *testing.M) {
	if runtime.GOMAXPROCS(0) < waitingAtOnce {
		// The flag is known to be there, and takes a number.
		_ = flag.Set("test.parallel", strconv.Itoa(waitingAtOnce))
	}
	Main(m)
}

package fleet

import (
	"os"
	"os/exec"
	"strconv"
	"testing"

	"github.com/rollcall-go/micro"
	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/logger"
)

// nodeVariable makes a test binary a node: its value says how many times the
// service calls Init.
const nodeVariable = "ROLLCALL_FLEET_NODE"

// ProcessName is the name of the services that Process starts.
const ProcessName = "node"

// Main is the TestMain of a package that starts nodes as processes: the package's
// own test binary is their program. Tests are run by run, testkit.Main for one.
func Main(m *testing.M, run func(*testing.M)) {
	inits := os.Getenv(nodeVariable)
	if inits == "" {
		run(m)
		return
	}
	n, err := strconv.Atoi(inits)
	if err == nil {
		err = runNode(n)
	}
	if err != nil {
		logger.Fatal(err)
	}
}

// runNode is a process that is a node and nothing else. Its flags are those of
// every service.
func runNode(inits int) error {
	s := micro.NewService(micro.Name(ProcessName), micro.Address("127.0.0.1:0"))
	for range inits {
		s.Init()
	}
	if err := micro.RegisterHandler(s.Server(), &Echo{node: s.Name() + "-" + s.Server().Options().Id}); err != nil {
		return err
	}
	return s.Run()
}

// Process starts a node, of the service ProcessName, in a process of its own with
// these flags. It is killed at the end of the test at the latest.
func Process(t testing.TB, flags ...string) *testkit.Process {
	t.Helper()
	return testkit.StartProcess(t, AsNode(exec.Command(os.Args[0], flags...), 1))
}

// AsNode makes a command that runs this test binary a node that calls Init so many
// times.
func AsNode(cmd *exec.Cmd, inits int) *exec.Cmd {
	if cmd.Env == nil {
		cmd.Env = os.Environ()
	}
	cmd.Env = append(cmd.Env, nodeVariable+"="+strconv.Itoa(inits))
	return cmd
}

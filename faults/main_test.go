// Package faults is the laboratory in which registration and discovery are put
// under every fault we know: one named test for each row of docs/FAULTS.md.
package faults

import (
	"os"
	"testing"

	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/internal/testkit/fleet"
	"github.com/rollcall-go/micro/logger"
)

// TestMain runs the tests or, in a process that a test started for it, a node, a web
// service, a subscriber or a contender for a lock.
func TestMain(m *testing.M) {
	if os.Getenv(webNodeVariable) != "" {
		if err := runWebNode(); err != nil {
			logger.Fatal(err)
		}
		return
	}
	if addr := os.Getenv(subscriberVariable); addr != "" {
		if err := runSubscriber(addr); err != nil {
			logger.Fatal(err)
		}
		return
	}
	if name := os.Getenv(contenderVariable); name != "" {
		logger.Fatal(runContender(name, os.Args[1], os.Args[2]))
	}
	fleet.Main(m, testkit.MainWaiting)
}

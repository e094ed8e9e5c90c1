package etcd

import (
	"testing"
	"time"

	"github.com/rollcall-go/micro/internal/testkit"
)

func TestMain(m *testing.M) { testkit.MainWaiting(m) }

// soon bounds what has to happen at once. It is long because the machine may be
// busy; nothing waits for it to pass.
const soon = 10 * time.Second

// open opens a Conn that is closed at the end of the test.
func open(t *testing.T, cfg Config) *Conn {
	t.Helper()
	c := Open(cfg)
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return c
}

package etcd_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/logger"
	"github.com/rollcall-go/micro/registry"
)

// A node that is registered without a time to live gets one, and somebody is told:
// in v2 it would stay for ever. It is told once, however often it registers.
func TestRegisterWithoutTTLIsTold(t *testing.T) {
	var log bytes.Buffer // written to by Register alone
	before := logger.DefaultLogger
	logger.DefaultLogger = logger.NewLogger(logger.WithOutput(&log))
	defer func() { logger.DefaultLogger = before }()

	r := open(t, testkit.StartEtcd(t).Addr())
	s := &registry.Service{Name: "s", Nodes: []*registry.Node{{Id: "s-1", Address: "127.0.0.1:1"}}}
	for range 2 {
		if err := r.Register(s); err != nil {
			t.Fatal(err)
		}
	}
	timely := &registry.Service{Name: "s", Nodes: []*registry.Node{{Id: "s-2", Address: "127.0.0.1:2"}}}
	if err := r.Register(timely, registry.RegisterTTL(time.Minute)); err != nil {
		t.Fatal(err)
	}
	if strings.Count(log.String(), "\n") != 1 || !strings.Contains(log.String(), "level=warn") ||
		!strings.Contains(log.String(), "without a TTL and gets 15s: s-1") {
		t.Errorf("the log says\n%swant one warning about s-1", log.String())
	}
}

package main

import (
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/rollcall-go/micro/internal/testkit"
)

// TestDoctorEndsWhenTold shows that SIGTERM ends a doctor that
// would go on for long, here by nodes that do not answer.
func TestDoctorEndsWhenTold(t *testing.T) {
	server := testkit.StartEtcd(t)
	client := server.Client(t)
	for from := 0; from < 2000; from += 100 {
		var puts []clientv3.Op
		for i := from; i < from+100; i++ {
			puts = append(puts, clientv3.OpPut(fmt.Sprintf("/micro/registry/far/far-%d", i), fmt.Sprintf(`{"name":"far","nodes":[{"id":"far-%d","address":"203.0.113.%d:%d"}]}`, i, i%250, 1000+i)))
		}
		if _, err := client.Txn(t.Context()).Then(puts...).Commit(); err != nil {
			t.Fatal(err)
		}
	}
	const asked = "etcd_network_client_grpc_received_bytes_total"
	before := server.Metric(t, asked)
	c := spawn(t, nil, "doctor", "--timeout=120s", "--registry_address="+server.Addr())
	begun := time.Now()
	// It is busy when it has connected, and may be done before where a network
	// answers for all addresses.
	testkit.Eventually(t, 30*time.Second, "it asks etcd", func() bool { return server.Metric(t, asked) > before })
	if err := c.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	_, findings := c.wait(t)
	if took := time.Since(begun); took > 60*time.Second {
		t.Errorf("it took %v to end", took)
	}
	if n := strings.Count(findings, "\n"); n > 100 {
		t.Errorf("it prints %d lines", n)
	}
}

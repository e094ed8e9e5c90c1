package main

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/rollcall-go/micro/internal/operate"
	"github.com/rollcall-go/micro/internal/testkit"
)

// TestDeregisterWhatJustDied is row D5: a process was killed, and its record would
// stay until its lease ends.
func TestDeregisterWhatJustDied(t *testing.T) {
	server := testkit.StartEtcd(t)
	client := server.Client(t)
	lease, err := client.Grant(t.Context(), 60)
	if err != nil {
		t.Fatal(err)
	}
	const record = `{"name":"shop","version":"1","nodes":[{"id":"shop-1","address":"127.0.0.1:1","metadata":{"rollcall":"0.1.0"}}]}`
	if _, err := client.Put(t.Context(), "/micro/registry/shop/shop-1", record, clientv3.WithLease(lease.ID)); err != nil {
		t.Fatal(err)
	}
	at := "--registry_address=" + server.Addr()
	if _, stdout, _ := micro(t, "get", "service", "shop", at); !regexp.MustCompile(`shop-1 +127\.0\.0\.1:1 +\d+ s of 60 s`).MatchString(stdout) {
		t.Errorf("what is left of the lease is not shown: %s", stdout)
	}
	if code, _, stderr := micro(t, "node", "deregister", "shop", "shop-1", at); code != exitFailed || !strings.Contains(stderr, "its lease was renewed lately (lease left: ") {
		t.Errorf("exit code %d, stderr %q", code, stderr)
	}
	code, stdout, stderr := micro(t, "node", "deregister", "shop", "shop-1", at, "--force")
	if code != exitOK || stderr != "" || !regexp.MustCompile(`^shop-1 is deregistered, lease left: \d+ s of 60 s\n$`).MatchString(stdout) {
		t.Errorf("exit code %d, stdout %q, stderr %q", code, stdout, stderr)
	}
	if code, _, _ := micro(t, "get", "service", "shop", at); code != exitFailed {
		t.Error("it is still registered")
	}
}

// TestMistypedNodeOfACrowd shows that nobody wants to read all ids.
func TestMistypedNodeOfACrowd(t *testing.T) {
	n := nodes{service: "crowd"}
	for i := range 100_000 {
		n.paused = append(n.paused, operate.Pause{Service: "crowd", Node: fmt.Sprintf("crowd-%06d", i)})
	}
	_, err := n.find("crwd-012345")
	if err == nil || !strings.Contains(err.Error(), "choose one of crowd-012345, ") || !strings.Contains(err.Error(), "the nearest of 100000") || len(err.Error()) > 300 {
		t.Errorf("got %v", err)
	}
	if _, err = n.find("crowd-01"); err == nil || !strings.Contains(err.Error(), "and 9995 more") || len(err.Error()) > 300 {
		t.Errorf("got %v", err)
	}
	if id, err := n.find("012345"); err != nil || id != "crowd-012345" {
		t.Errorf("got %q, %v", id, err)
	}
}

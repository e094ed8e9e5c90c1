package doctor

import (
	"context"
	"fmt"
	"runtime"
	"testing"
	"time"

	"go.etcd.io/etcd/api/v3/mvccpb"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/rollcall-go/micro/internal/etcd"
	"github.com/rollcall-go/micro/internal/etcd/layout"
	"github.com/rollcall-go/micro/internal/testkit"
)

// crowd returns n records of one service with all that can be wrong with them, and
// a pause key for each.
func crowd(n int) (records, pauses []*mvccpb.KeyValue) {
	for i := range n {
		id := fmt.Sprintf("crowd-%d", i)
		value := fmt.Sprintf(`{"name":"crowd","nodes":[{"id":%q,"address":"bad address %d"}]}`, id, i)
		if i%4 == 0 {
			value = fmt.Sprintf(`{"name":"crowd","nodes":[{"id":%q,"address":"10.0.0.1:80"}]}`, id)
		} else if i%4 == 1 {
			value = fmt.Sprintf("garbage %d", i)
		}
		records = append(records, &mvccpb.KeyValue{Key: []byte("/micro/registry/crowd/" + id), Value: []byte(value)})
		pauses = append(pauses, &mvccpb.KeyValue{Key: []byte("/micro/rollcall/pause/crowd/" + id), Value: fmt.Appendf(nil, `{"by":"ops %d"}`, i)})
	}
	return records, pauses
}

// judge does with records what examineRegistry does, without an etcd.
func judge(ctx context.Context, records, pauses []*mvccpb.KeyValue) []Finding {
	var r report
	nodes := decode(ctx, layout.Layout{}, &r, records)
	examineLeases(ctx, &r, &visit{}, nodes)
	examineAddresses(ctx, &r, nodes, true)
	examineDuplicates(&r, nodes)
	judgePauses(&r, layout.Layout{}, pauses, records)
	return Brief(r)
}

// TestAHundredThousandNodes shows that what there is to say of many nodes
// takes as long as reading them, and is said in brief.
func TestAHundredThousandNodes(t *testing.T) {
	records, pauses := crowd(100_000)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	begun := time.Now()
	all := judge(ctx, records, pauses)
	// It was 326 s; a machine that does five other things has to stay below this.
	if took := time.Since(begun); took > 60*time.Second {
		t.Errorf("it took %v", took)
	}
	perKind := make(map[string]int)
	counted := make(map[string]int)
	for _, f := range all {
		perKind[f.Code]++
		counted[f.Code] += 1 + f.More
		if len(f.Subject) > 1000 {
			t.Errorf("a subject of %d bytes", len(f.Subject))
		}
	}
	for code, n := range perKind {
		if n > linesAKind+1 {
			t.Errorf("%d lines of %s", n, code)
		}
	}
	for code, want := range map[string]int{"node.undecodable": 25_000, "node.address_malformed": 50_000, "node.paused_registered": 100_000, "node.duplicate_address": 1} {
		if counted[code] != want {
			t.Errorf("%d of %s, want %d", counted[code], code, want)
		}
	}
	says(t, all, "node.undecodable", "and 24990 more")
	says(t, all, "node.duplicate_address", "and 24990 more", "10.0.0.1:80")
}

// TestNoTimeLeft shows that nothing goes on when the time is over, and that this is
// said.
func TestNoTimeLeft(t *testing.T) {
	records, pauses := crowd(1000)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	all := judge(ctx, records, pauses)
	says(t, all, "registry.unchecked", "1000 of 1000 records", "--timeout")
}

// TestManyNodesInEtcd runs the whole of it on an etcd with some thousand nodes
// whose hosts do not answer, and ends it early.
func TestManyNodesInEtcd(t *testing.T) {
	t.Parallel()
	server := testkit.StartEtcd(t)
	client := server.Client(t)
	for from := 0; from < 3000; from += 100 {
		var puts []clientv3.Op
		for i := from; i < from+100; i++ {
			key := fmt.Sprintf("/micro/registry/crowd/crowd-%d", i)
			puts = append(puts, clientv3.OpPut(key, fmt.Sprintf(`{"name":"crowd","nodes":[{"id":"crowd-%d","address":"192.0.2.%d:80"}]}`, i, i%250)))
		}
		if _, err := client.Txn(t.Context()).Then(puts...).Commit(); err != nil {
			t.Fatal(err)
		}
	}
	goroutines := runtime.NumGoroutine()
	ctx, cancel := context.WithTimeout(t.Context(), 6*time.Second)
	defer cancel()
	begun := time.Now()
	all := Examine(ctx, etcd.Config{Addrs: []string{server.Addr()}, Timeout: 30 * time.Second}, layout.Layout{})
	if took := time.Since(begun); took > 30*time.Second {
		t.Errorf("it took %v after an interrupt at 6 s", took)
	}
	says(t, all, "registry.read", "3000 nodes of 1 service")
	if len(all) > 60 {
		t.Errorf("%d findings", len(all))
	}
	testkit.Eventually(t, 10*time.Second, "its goroutines end", func() bool { return runtime.NumGoroutine() <= goroutines+5 })
}

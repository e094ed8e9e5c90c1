package doctor

import (
	"strings"
	"testing"

	"go.etcd.io/etcd/api/v3/mvccpb"

	"github.com/rollcall-go/micro/internal/etcd/layout"
	"github.com/rollcall-go/micro/internal/testkit"
)

func TestNodes(t *testing.T) {
	t.Parallel()
	testkit.EachKind(t, func(t *testing.T, kind testkit.Kind) {
		server := testkit.StartEtcd(t, testkit.OfKind(kind))
		client := server.Client(t)
		grant, err := client.Grant(t.Context(), 600)
		if err != nil {
			t.Fatal(err)
		}
		const root = "/micro/registry/"
		lease, alive, dead := grant.ID, listen(t), gone(t)
		register(t, client, "good", "good-1", alive, lease)
		register(t, client, "dead", "dead-1", dead, lease)
		register(t, client, "stays", "stays-1", listen(t), 0)
		register(t, client, "twin", "twin-1", alive, lease)
		register(t, client, "left", "same", listen(t), lease)
		register(t, client, "right", "same", listen(t), lease)
		register(t, client, "all", "all-1", "0.0.0.0:80", lease)
		register(t, client, "none", "none-1", "", lease)
		put(t, client, root+"good/garbage", "{\"name\":\x00", lease)
		put(t, client, root+"good/null", "null", lease)
		put(t, client, root+"good/other", `{"name":"evil","nodes":[null,{"id":"x"}]}`, lease)
		put(t, client, root+"good/odd", `{"name":"good","version":"1\u001b[2J","nodes":[{"id":"odd"}]}`, lease)
		put(t, client, root+"it's", strings.Repeat("[", 100_000), lease)
		put(t, client, "/micro/rollcall/pause/good/good-9", `{"by":"ops@host","at":"today","reason":"disk"}`, 0)
		put(t, client, "/micro/rollcall/pause/good/good-1", `x`, 0)
		put(t, client, "/micro/rollcall/pause/", ``, 0)

		all := examine(t, server.Addr())
		want(t, all,
			"problem node.unreachable",
			"warning node.no_lease",
			"warning node.duplicate_address",
			"warning node.duplicate_id",
			"problem node.address_wildcard",
			"problem node.address_malformed",
			"problem node.undecodable", "problem node.undecodable",
			"problem node.key_mismatch", "problem node.key_mismatch", "problem node.refused",
			"warning node.paused", "warning pause.malformed", "warning node.paused_registered",
		)
		says(t, all, "node.unreachable", "dead/dead-1", dead, "connection refused", "of 600 s left")
		says(t, all, "node.no_lease", "stays/stays-1")
		says(t, all, "node.duplicate_address", "good/good-1, twin/twin-1", alive)
		says(t, all, "node.duplicate_id", "left/same, right/same")
		says(t, all, "node.address_wildcard", "all/all-1")
		says(t, all, "node.undecodable", `'/micro/registry/it'\''s'`)
		says(t, all, "node.key_mismatch", root+"good/other")
		says(t, all, "node.paused", "good/good-9", "by ops@host since today (disk)", "micro node resume good good-9")
		says(t, all, "node.paused_registered", "good/good-1")
	})
}

func TestLeases(t *testing.T) {
	t.Parallel()
	server := testkit.StartEtcd(t)
	client := server.Client(t)
	grant, err := client.Grant(t.Context(), 600)
	if err != nil {
		t.Fatal(err)
	}
	register(t, client, "shop", "gone", "10.0.0.1:80", grant.ID)
	nodes := []node{
		{key: "/micro/registry/shop/gone", lease: int64(grant.ID), service: "shop", id: "gone"},
		{key: "/micro/registry/shop/left", lease: 2, service: "shop", id: "left"}, // meanwhile
		{key: "/micro/registry/shop/late", lease: 3, service: "shop", id: "late"},
		{key: "/micro/registry/shop/good", lease: 4, service: "shop", id: "good"},
	}
	known := map[int64]remains{int64(grant.ID): {left: -1}, 2: {left: -1}, 3: {left: 4, granted: 15}, 4: {left: 10, granted: 15}}
	var r report
	judgeLeases(t.Context(), &r, &visit{client: client}, nodes, known)
	want(t, r, "problem node.lease_gone", "warning node.lease_late")
	says(t, r, "node.lease_gone", "shop/gone")
	says(t, r, "node.lease_late", "shop/late", "4 s of 15 s left")
	says(t, r, "lease.alive", "2 leases", "4 s of 15 s")
}

// Nothing that stands in etcd makes the doctor panic.
func FuzzDecode(f *testing.F) {
	f.Add("/micro/registry/a/b", []byte(`{"name":"a","nodes":[{"id":"b"}]}`))
	f.Add("", []byte(`null`))
	f.Fuzz(func(t *testing.T, key string, value []byte) {
		var r report
		nodes := decode(t.Context(), layout.Layout{}, &r, []*mvccpb.KeyValue{{Key: []byte(key), Value: value}})
		if len(nodes)+len(r) != 1 {
			t.Errorf("%d nodes and %d findings of one record", len(nodes), len(r))
		}
		_ = byWhom(value)
	})
}

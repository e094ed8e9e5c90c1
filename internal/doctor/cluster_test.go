package doctor

import (
	"crypto/tls"
	"slices"
	"testing"

	"go.etcd.io/etcd/api/v3/etcdserverpb"

	"github.com/rollcall-go/micro/internal/etcd"
)

// answers is a visit that was answered by a member.
func answers(addr string, member, leader uint64, version string, errors ...string) *visit {
	return &visit{addr: addr, status: &etcdserverpb.StatusResponse{
		Header: &etcdserverpb.ResponseHeader{ClusterId: 1, MemberId: member, Revision: 7}, Leader: leader, Version: version, Errors: errors,
		DbSize: 1 << 20, DbSizeQuota: 1 << 30,
	}}
}

func member(id uint64, urls ...string) *etcdserverpb.Member {
	return &etcdserverpb.Member{ID: id, ClientURLs: urls}
}

func TestMembers(t *testing.T) {
	const a, b, c = "127.0.0.1:1", "127.0.0.1:2", "127.0.0.1:3"
	for _, tt := range []struct {
		name    string
		visits  []*visit
		members []*etcdserverpb.Member
		want    []string
	}{
		{"three", []*visit{answers(a, 1, 2, "3.7.3"), answers(b, 2, 2, "3.7.3"), answers(c, 3, 2, "3.7.3")},
			[]*etcdserverpb.Member{member(1, "http://"+a), member(2, "http://"+b), member(3, "http://"+c)}, nil},
		{"two", []*visit{answers(a, 1, 1, "3.7.3"), answers(b, 2, 1, "3.7.3")},
			[]*etcdserverpb.Member{member(1, "http://"+a), member(2, "http://"+b)}, []string{"warning cluster.even"}},
		{"no leader", []*visit{answers(a, 1, 0, "3.7.3"), answers(b, 2, 0, "3.7.3")},
			[]*etcdserverpb.Member{member(1, "http://"+a), member(2, "http://"+b), member(3, "http://"+c)}, []string{"problem cluster.no_leader"}},
		{"unstarted and learner", []*visit{answers(a, 1, 1, "3.7.3")},
			[]*etcdserverpb.Member{member(1, "http://"+a), {ID: 2}, {ID: 3, IsLearner: true, ClientURLs: []string{"http://" + c}}},
			[]string{"warning cluster.even", "warning cluster.learner", "warning cluster.unstarted"}},
		{"mixed", []*visit{answers(a, 1, 1, "3.7.3"), answers(b, 2, 1, "3.6.99"), answers(c, 3, 1, "what?")},
			[]*etcdserverpb.Member{member(1, "http://"+a), member(2, "http://"+b), member(3, "http://"+c)}, nil},
		{"alarms", []*visit{answers(a, 1, 1, "3.7.3", "memberID:1 alarm:NOSPACE ", "memberID:2  alarm:CORRUPT", "etcdserver: no leader")},
			[]*etcdserverpb.Member{member(1, "http://"+a)}, []string{"problem alarm.nospace", "problem alarm.corrupt"}},
		{"wildcard", []*visit{answers(a, 1, 1, "3.7.3")}, []*etcdserverpb.Member{member(1, "http://0.0.0.0:2379")}, []string{"warning advertised.wildcard"}},
		{"malformed", []*visit{answers(a, 1, 1, "3.7.3")}, []*etcdserverpb.Member{member(1, "unix://socket")}, []string{"warning advertised.malformed"}},
		{"unresolvable", []*visit{answers(a, 1, 1, "3.7.3")}, []*etcdserverpb.Member{member(1, "http://etcd-0.invalid:2379")}, []string{"warning advertised.unresolvable"}},
		{"differs", []*visit{answers(a, 1, 1, "3.7.3")}, []*etcdserverpb.Member{member(1, "http://10.0.0.1:2379")}, []string{"warning advertised.differs"}},
		{"same by name", []*visit{answers("localhost:1", 1, 1, "3.7.3")}, []*etcdserverpb.Member{member(1, "http://"+a)}, nil},
		{"loopback of a remote one", []*visit{answers("10.0.0.1:1", 1, 1, "3.7.3")}, []*etcdserverpb.Member{member(1, "http://localhost:1")}, []string{"warning advertised.loopback"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := &cluster{visits: tt.visits}
			c.members(tt.members)
			c.leader()
			c.advertised(t.Context(), tt.members)
			all := slices.Concat([]Finding(c.found), examineDatabase(c), examineVersions(c))
			want(t, Brief(all), tt.want...)
			if mixed := len(find(all, "version.mixed")) + len(find(all, "version.unknown")); mixed != map[bool]int{true: 2}[tt.name == "mixed"] {
				t.Errorf("%d findings on versions", mixed)
			}
		})
	}
}

// A member that no address was given for is visited at what it advertises.
func TestOtherMembers(t *testing.T) {
	dead := gone(t)
	first := answers("127.0.0.1:1", 1, 1, "3.7.3")
	first.cfg = etcd.Config{Addrs: []string{first.addr}, TLS: (*tls.Config)(nil)}
	c := &cluster{visits: []*visit{first}}
	c.visitOthers(t.Context(), etcd.Config{Timeout: 3e9}, first, []*etcdserverpb.Member{
		member(1, "http://127.0.0.1:1"), member(0xabc, "http://0.0.0.0:1", "http://"+dead), {ID: 3},
	})
	want(t, c.found, "problem cluster.member_down")
	says(t, c.found, "cluster.member_down", "member abc", dead, "connection refused", "etcdctl member remove abc")
}

package doctor

import (
	"cmp"
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"go.etcd.io/etcd/api/v3/etcdserverpb"

	"github.com/rollcall-go/micro/internal/etcd"
)

// cluster is what the members say of themselves and of each other.
type cluster struct {
	visits []*visit // of the addresses that were given
	others []*visit // of members that none of them belongs to
	open   bool     // a member serves more than its own host, as far as it tells
	found  report
}

// answered returns the visits that were answered, one for each member.
func (c *cluster) answered() []*visit {
	var all []*visit
	for _, v := range slices.Concat(c.visits, c.others) {
		if v.status != nil && c.of(all, v.member()) == nil {
			all = append(all, v)
		}
	}
	return all
}

// best returns the visit to read from, nil if there is none: one that knows a
// leader, if possible.
func (c *cluster) best() *visit {
	all := c.answered()
	if i := slices.IndexFunc(all, func(v *visit) bool { return v.status.Leader != 0 && !v.status.IsLearner }); i >= 0 {
		return all[i]
	}
	if len(all) == 0 {
		return nil
	}
	return all[0]
}

// of returns the visit of a member, nil if there is none.
func (c *cluster) of(visits []*visit, member uint64) *visit {
	i := slices.IndexFunc(visits, func(v *visit) bool { return v.status != nil && v.member() == member })
	if i < 0 {
		return nil
	}
	return visits[i]
}

func (v *visit) member() uint64 { return v.status.GetHeader().GetMemberId() }

// examineCluster asks for the members, and visits those that were not yet.
func examineCluster(ctx context.Context, cfg etcd.Config, visits []*visit) *cluster {
	c := &cluster{visits: visits}
	first := c.best()
	if first == nil {
		return c
	}
	if v := c.stranger(first); v != nil {
		c.found.problem("cluster.several", v.addr, "give the addresses of one cluster only in --registry_address",
			"it belongs to another cluster (%x) than %s (%x): a service registers in one or the other", v.status.GetHeader().GetClusterId(), first.addr, first.status.GetHeader().GetClusterId())
	}
	ctx, cancel := context.WithTimeout(ctx, cfg.Timeout/3)
	defer cancel()
	list, err := first.members(ctx)
	if err != nil {
		c.found.warn("cluster.unlisted", first.addr, "see `etcdctl member list`", "the members cannot be listed: %v", first.conn.Explain("list members", err))
		return c
	}
	if v := c.namesake(ctx, first, list.Members); v != nil {
		c.found.problem("cluster.several", v.addr, "give the addresses of one cluster only in --registry_address; members of one share their --initial_cluster",
			"it belongs to another cluster than %s, though both have the same ids (%x): a service registers in one or the other", first.addr, v.member())
	}
	c.open = slices.ContainsFunc(list.Members, func(m *etcdserverpb.Member) bool { return slices.ContainsFunc(m.ClientURLs, public) })
	c.visitOthers(ctx, cfg, first, list.Members)
	c.members(list.Members)
	c.leader()
	c.advertised(ctx, list.Members)
	return c
}

// stranger returns the visit to an address at which there is another cluster than
// the one at first's, nil if there is none.
func (c *cluster) stranger(first *visit) *visit {
	for _, v := range c.answered() {
		if v.status.GetHeader().GetClusterId() != first.status.GetHeader().GetClusterId() {
			return v
		}
	}
	return nil
}

// namesake returns the visit to an etcd that has the ids of the one at first's, as
// two that were started alike do, and yet is another: it tells clients to go
// elsewhere. It returns nil if there is none.
func (c *cluster) namesake(ctx context.Context, first *visit, members []*etcdserverpb.Member) *visit {
	urls := clientURLs(members, first.member())
	for _, v := range c.visits {
		if v == first || v.status == nil || v.member() != first.member() {
			continue
		}
		if list, err := v.members(ctx); err == nil && !slices.Equal(urls, clientURLs(list.Members, first.member())) {
			return v
		}
	}
	return nil
}

func (v *visit) members(ctx context.Context) (*etcdserverpb.MemberListResponse, error) {
	return etcdserverpb.NewClusterClient(v.client.ActiveConnection()).MemberList(v.as(ctx), &etcdserverpb.MemberListRequest{})
}

// clientURLs returns what the member of an id tells clients, in order.
func clientURLs(members []*etcdserverpb.Member, id uint64) []string {
	i := slices.IndexFunc(members, func(m *etcdserverpb.Member) bool { return m.ID == id })
	if i < 0 {
		return nil
	}
	return slices.Sorted(slices.Values(members[i].ClientURLs))
}

// visitOthers visits the members that have not answered, at the first address
// that they tell clients.
func (c *cluster) visitOthers(ctx context.Context, cfg etcd.Config, first *visit, members []*etcdserverpb.Member) {
	var asked []etcd.Config
	var missing []*etcdserverpb.Member
	for _, m := range members {
		if c.of(c.visits, m.ID) != nil || !started(m) {
			continue
		}
		i := slices.IndexFunc(m.ClientURLs, func(u string) bool { a, err := hostPort(u); return err == nil && !wildcard(a) })
		if i < 0 || slices.ContainsFunc(m.ClientURLs, c.visited) {
			continue
		}
		addr, _ := hostPort(m.ClientURLs[i])
		one := first.cfg
		one.Addrs = []string{addr}
		asked, missing = append(asked, one), append(missing, m)
	}
	c.others = visitAll(ctx, cfg.Timeout/3, asked)
	for i, v := range c.others {
		if v.status != nil {
			c.found = append(c.found, v.found...)
		} else {
			c.found.problem("cluster.member_down", memberName(missing[i]), "start that member, or remove it with `etcdctl member remove "+fmt.Sprintf("%x", missing[i].ID)+"`",
				"it does not answer at %s, which it tells clients: %s", v.addr, v.found[len(v.found)-1].Cause)
		}
	}
}

// visited reports whether what a member tells clients was among the addresses
// that were given.
func (c *cluster) visited(clientURL string) bool {
	addr, err := hostPort(clientURL)
	return err == nil && slices.ContainsFunc(c.visits, func(v *visit) bool { return v.addr == addr })
}

// members counts.
func (c *cluster) members(members []*etcdserverpb.Member) {
	voters, down := 0, 0
	for _, m := range members {
		switch {
		case m.IsLearner:
			c.found.warn("cluster.learner", memberName(m), fmt.Sprintf("`etcdctl member promote %x`, and leave it out of --registry_address until then", m.ID), "it is a learner: it has no vote and takes no requests")
			continue
		case !started(m):
			c.found.warn("cluster.unstarted", fmt.Sprintf("member %x", m.ID), fmt.Sprintf("start it, or `etcdctl member remove %x`", m.ID), "it was added, but never started; it counts for the majority")
			down++
		case c.of(c.answered(), m.ID) == nil:
			down++
		}
		voters++
	}
	name := number(voters, "member")
	switch {
	case voters == 1:
		c.found.ok("cluster.members", name, "it is the only one: while it is down nothing can register, and calls go on with what is known")
	case voters%2 == 0:
		c.found.warn("cluster.even", name, "add a member or remove one", "an even number stands no more failures than one member less would: %d", (voters-1)/2)
	default:
		c.found.ok("cluster.members", name, "%d of them answer, and %d must", voters-down, voters/2+1)
	}
}

// leader looks for members without one.
func (c *cluster) leader() {
	var leader uint64
	lost := false
	for _, v := range c.answered() {
		if v.status.Leader == 0 {
			lost = true
			c.found.problem("cluster.no_leader", v.addr, "start the members that are down, until more than half of all run and reach each other: `etcdctl endpoint status --cluster`",
				"it knows no leader: nothing can be registered or renewed through it")
			continue
		}
		leader = v.status.Leader
	}
	if !lost {
		c.found.ok("cluster.leader", fmt.Sprintf("member %x", leader), "it is the leader, raft term %d", c.best().status.RaftTerm)
	}
}

// started reports whether a member has ever run.
func started(m *etcdserverpb.Member) bool { return len(m.ClientURLs) > 0 }

func memberName(m *etcdserverpb.Member) string {
	return "member " + cmp.Or(m.Name, fmt.Sprintf("%x", m.ID))
}

// public reports whether a client URL leads to a host from elsewhere.
func public(clientURL string) bool {
	addr, err := hostPort(clientURL)
	return err == nil && !loopback(addr)
}

// hostPort returns what is to be dialled for a client URL.
func hostPort(clientURL string) (string, error) {
	u, err := url.Parse(clientURL)
	if err != nil {
		return "", err
	}
	if u.Port() == "" || !strings.HasPrefix(u.Scheme, "http") {
		return "", fmt.Errorf("parse client URL %q: want http://host:port", clientURL)
	}
	return u.Host, nil
}

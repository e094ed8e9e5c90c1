package etcd

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"google.golang.org/grpc"

	"github.com/rollcall-go/micro/internal/defaults"
)

// watchCluster begins, at the first call, to look at what whoever runs the cluster
// should know: the version of each member that is connected to, and whether the
// cluster is still made of the members that were configured. It looks once for each
// connection, and at the members again now and then.
func (c *Conn) watchCluster() {
	if c.cfg.Warn == nil {
		return
	}
	c.clusterWatch.Do(func() { c.Go(c.lookAtCluster) })
}

func (c *Conn) lookAtCluster(ctx context.Context) {
	var (
		looked   uint64 // generation of the connection that was last looked at
		versions = map[string]bool{}
		members  membership
	)
	timer := time.NewTimer(defaults.EtcdMembersEvery)
	defer timer.Stop()
	for {
		link := c.Link()
		if link.Up && link.Generation != looked {
			looked = link.Generation
			// An etcd that does not tell is asked again with the next connection.
			if version, err := c.version(ctx); err == nil && !versions[version] {
				versions[version] = true
				c.warnOfOldVersion(version, link.Addr)
			}
			c.warnOfReplacedMembers(ctx, &members)
			continue
		}
		select {
		case <-ctx.Done():
			return
		case <-link.Changed:
		case <-timer.C:
			timer.Reset(defaults.EtcdMembersEvery)
			if link.Up {
				c.warnOfReplacedMembers(ctx, &members)
			}
		}
	}
}

// ask calls f with the connection to the member. That is not a request of Do: a
// member answers these that is cut off from the others, and would seem to answer all.
func (c *Conn) ask(ctx context.Context, f func(context.Context, grpc.ClientConnInterface) error) error {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	client, err := c.Ready(ctx)
	if err != nil {
		return err
	}
	cc := client.ActiveConnection()
	if cc == nil {
		return errors.New("there is no connection")
	}
	return f(ctx, cc)
}

func (c *Conn) version(ctx context.Context) (version string, err error) {
	err = c.ask(ctx, func(ctx context.Context, cc grpc.ClientConnInterface) error {
		s, err := pb.NewMaintenanceClient(cc).Status(ctx, &pb.StatusRequest{})
		version = s.GetVersion()
		return err
	})
	return version, err
}

// warnOfReplacedMembers warns when fewer than half of the configured addresses are
// still those of members. Without a list of the members nothing is said.
func (c *Conn) warnOfReplacedMembers(ctx context.Context, known *membership) {
	var urls []string
	err := c.ask(ctx, func(ctx context.Context, cc grpc.ClientConnInterface) error {
		list, err := pb.NewClusterClient(cc).MemberList(ctx, &pb.MemberListRequest{})
		for _, m := range list.GetMembers() {
			urls = append(urls, m.ClientURLs...)
		}
		return err
	})
	if err != nil || len(urls) == 0 {
		return
	}
	configured := make(map[string][]string, len(c.addrs))
	for _, addr := range c.addrs {
		configured[addr] = []string{addr}
		if ips, err := c.link.members.resolve(ctx, addr); err == nil {
			configured[addr] = append(configured[addr], ips...)
		}
	}
	var members []string
	for _, u := range urls {
		if parsed, err := url.Parse(u); err == nil && parsed.Host != "" && !slices.Contains(members, parsed.Host) {
			members = append(members, parsed.Host)
		}
	}
	if text := known.look(configured, members, func(host string) []string { return c.link.members.ips(ctx, host) }); text != "" {
		c.cfg.Warn(text)
	}
}

// membership remembers which of the configured addresses were those of members. A
// load balancer's never is: nothing can be said of it.
type membership struct {
	comparable bool   // one of them was
	said       string // what was last warned of
}

// look compares the configured addresses, each with what it stands for, with those
// that the members tell clients, and returns what to warn of, "" for nothing or
// nothing new. ips tells what a member's name stands for; it is asked as a last
// resort.
func (m *membership) look(configured map[string][]string, members []string, ips func(addr string) []string) (warning string) {
	isMember := func(addr string) bool {
		return slices.ContainsFunc(configured[addr], func(a string) bool { return slices.Contains(members, a) }) ||
			slices.ContainsFunc(members, func(member string) bool {
				return slices.ContainsFunc(ips(member), func(a string) bool { return slices.Contains(configured[addr], a) })
			})
	}
	var left, gone []string
	for addr := range configured {
		if isMember(addr) {
			left = append(left, addr)
		} else {
			gone = append(gone, addr)
		}
	}
	slices.Sort(gone)
	slices.Sort(members)
	m.comparable = m.comparable || len(left) > 0
	if !m.comparable || 2*len(left) >= len(configured) {
		m.said = ""
		return ""
	}
	still := "none"
	if len(left) > 0 {
		still = fmt.Sprintf("only %d of %d", len(left), len(configured))
	}
	text := fmt.Sprintf("of the etcd addresses given %s is still that of a member (no longer: %q); the members are now at %q: give these before the last connection is lost",
		still, gone, members)
	if text == m.said {
		return ""
	}
	m.said = text
	return text
}

// ips returns the IPs and port of a host:port that is a name, nil if it does not
// resolve or is none.
func (m *members) ips(ctx context.Context, addr string) []string {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil
	}
	found, err := m.lookup(ctx, host)
	if err != nil {
		return nil
	}
	all := make([]string, len(found))
	for i, ip := range found {
		all[i] = net.JoinHostPort(ip.Unmap().String(), port)
	}
	return all
}

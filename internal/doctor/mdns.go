package doctor

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"syscall"
	"time"
)

// instead is what works where multicast does not.
const instead = "use a registry that needs no multicast: `micro server` on one host, and --registry=etcd --registry_address=HOST:2379 everywhere"

// ExamineMulticast finds out on which of the interfaces, all of this host if none is
// given, multicast DNS works: over IPv4 and IPv6, wherever the interface has such an
// address, it sends a question that nobody answers to the group and the port of
// multicast DNS, and looks whether another socket of this host hears it. That shows
// whether programs on this host find one another, not whether the network hands the
// packets to other hosts. It returns when ctx ends, after about a second at most. The
// list is never empty.
func ExamineMulticast(ctx context.Context, interfaces []net.Interface) []Finding {
	var r report
	if interfaces == nil {
		var err error
		if interfaces, err = net.Interfaces(); err != nil {
			r.problem("mdns.no_interface", "this host", instead, "its network interfaces cannot be listed: %v", err)
			return r
		}
	}
	var probes []*echo
	for _, ifi := range interfaces {
		if ifi.Flags&net.FlagUp == 0 {
			continue
		}
		families, err := families(ifi)
		if err != nil || len(families) == 0 {
			r.warn("mdns.no_address", ifi.Name, fmt.Sprintf("give it an address: `ip addr add ADDRESS dev %s`", Shell(ifi.Name)),
				"it is up, but has no address to send from, so nobody is found through it")
		}
		for _, f := range families {
			probes = append(probes, &echo{ifi: ifi, family: f})
		}
	}
	inParallel(len(probes), len(probes), func(i int) {
		ctx, cancel := context.WithTimeout(ctx, echoLimit)
		defer cancel()
		probes[i].run(ctx)
	})
	probes = slices.DeleteFunc(probes, func(p *echo) bool { return spare(p, probes) })
	for _, p := range probes {
		p.report(&r)
	}
	r.summary(probes)
	return Brief(r)
}

// families returns which versions of IP an interface has addresses of.
func families(ifi net.Interface) ([]family, error) {
	addrs, err := ifi.Addrs()
	if err != nil {
		return nil, err
	}
	var has4, has6 bool
	for _, a := range addrs {
		if ip, ok := a.(*net.IPNet); ok {
			has4 = has4 || ip.IP.To4() != nil
			has6 = has6 || ip.IP.To4() == nil
		}
	}
	var all []family
	if has4 {
		all = append(all, ipv4Family)
	}
	if has6 {
		all = append(all, ipv6Family)
	}
	return all, nil
}

// spare tells whether a failure does not matter: on loopback one version of IP is
// enough for programs on one host, and a healthy host has no more than that.
func spare(p *echo, all []*echo) bool {
	return p.failed != nothing && p.loopback() && slices.ContainsFunc(all, func(o *echo) bool { return o.loopback() && o.failed == nothing })
}

func (e *echo) loopback() bool { return e.ifi.Flags&net.FlagLoopback != 0 }

// report adds what came of the test.
func (e *echo) report(r *report) {
	subject := e.ifi.Name + " " + e.family.name
	switch e.failed {
	case nothing:
		r.ok("mdns.heard", subject, "a packet to %s came back within %v", e.family.group, millis(e.took))
	case listening:
		r.warn("mdns.port_taken", subject, "find out what holds UDP port 5353 for itself (`ss -lunp 'sport = :5353'`) and let it share the port, or "+instead,
			"no socket can be opened on %s: %v", e.family.group, e.err)
	case joining:
		r.warn("mdns.not_joined", subject, e.remedy(), "the group of multicast DNS cannot be joined: %v", e.err)
	case sending:
		r.warn("mdns.not_sent", subject, e.remedy(), "nothing can be sent to %s: %v", e.family.group, e.err)
	case hearing:
		cause := "a firewall of this host drops what comes to UDP port 5353"
		if e.ifi.Flags&net.FlagMulticast == 0 {
			cause = "the interface has no MULTICAST flag"
		}
		r.warn("mdns.not_heard", subject, e.remedy(), "a packet to %s was sent, but no other socket heard it within %v: %s", e.family.group, e.took.Round(100*time.Millisecond), cause)
	}
}

// remedy says what helps an interface whose packets do not arrive.
func (e *echo) remedy() string {
	if e.ifi.Flags&net.FlagMulticast == 0 && !errors.Is(e.err, syscall.EPERM) {
		return fmt.Sprintf("`ip link set %s multicast on`, if what it leads to can multicast; or %s", Shell(e.ifi.Name), instead)
	}
	return "let UDP port 5353 pass in and out of this host's firewall; or " + instead
}

// summary says what the tests mean together.
func (r *report) summary(probes []*echo) {
	works, others, tried := 0, 0, 0
	for _, p := range probes {
		if !p.loopback() {
			tried++
		}
		if p.failed == nothing {
			works++
			if !p.loopback() {
				others++
			}
		}
	}
	switch {
	case works == 0:
		r.problem("mdns.unusable", "this host", instead, "multicast DNS works on none of its interfaces: programs do not find one another with --registry=mdns")
	case others == 0 && tried == 0:
		r.warn("mdns.loopback_alone", "this host", "connect it to a network, or leave it if all programs are on this host", "no interface but loopback is up and has an address: programs on this host find one another, other hosts are not found")
	case others == 0:
		r.warn("mdns.loopback_alone", "this host", instead, "multicast DNS works on loopback alone: programs on this host find one another, other hosts are not found")
	default:
		r.ok("mdns.usable", "this host", "multicast DNS works here; that other hosts hear it, `micro list services --registry=mdns` there shows")
	}
}

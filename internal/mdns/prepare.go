package mdns

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/rollcall-go/micro/internal/mdns/txt"
	"github.com/rollcall-go/micro/registry"
)

// prepare makes a record of one node. What makes it larger than every network carries
// in one piece is left out, if calls do without it.
func (e *Engine) prepare(one *registry.Service, ttl time.Duration) (*published, error) {
	n := one.Nodes[0]
	addr, err := address(n.Address)
	if err != nil {
		return nil, fmt.Errorf("node %q: %w", n.Id, err)
	}
	name, err := txt.Instance(n.Id, one.Name, e.cfg.Domain)
	if err != nil {
		return nil, err
	}
	question, err := txt.Service(one.Name, e.cfg.Domain)
	if err != nil {
		return nil, err
	}
	if _, err := txt.Listed(one.Name, e.cfg.Domain); err != nil {
		return nil, err
	}
	p := &published{asked: one, ttl: ttl, node: node{name: name, target: e.cfg.Host, addr: addr}}
	full := txt.Record{Service: one.Name, Version: one.Version, Endpoints: one.Endpoints, Metadata: n.Metadata}
	var size int
	for _, try := range []struct {
		without string
		r       txt.Record
		most    int
	}{
		{"", full, aimedPacket},
		{"what its endpoints take and return", full.WithoutSchemas(), maxPacket},
		{"its endpoints", full.WithoutEndpoints(), maxPacket},
	} {
		if p.node.text, err = txt.Encode(try.r); err != nil {
			continue
		}
		packet, packErr := answer(question, dnsmessage.TypePTR, p.node, ttl)
		if err = packErr; err == nil && len(packet) <= try.most {
			published := *one
			published.Endpoints, published.Metadata = try.r.Endpoints, nil
			p.service, p.without = &published, try.without
			return p, nil
		}
		size = txt.Size(p.node.text)
	}
	if errors.Is(err, errTooLarge) {
		err = fmt.Errorf("without its endpoints its metadata still takes %d bytes, a packet has %d at most: keep less metadata", size, maxPacket)
	}
	return nil, fmt.Errorf("node %q: %w", n.Id, err)
}

// address reads an address as multicast DNS can carry it.
func address(text string) (netip.AddrPort, error) {
	host, port, err := net.SplitHostPort(text)
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("read address %q: it is not IP:port", text)
	}
	ip, err := netip.ParseAddr(host)
	if err != nil || ip.Zone() != "" || ip.IsUnspecified() {
		return netip.AddrPort{}, fmt.Errorf("read address %q: %q is no IP address that others can call, and multicast DNS carries nothing else: advertise one (--server_advertise), or use another registry (--registry=etcd)", text, host)
	}
	number, err := strconv.ParseUint(port, 10, 16)
	if err != nil || number == 0 {
		return netip.AddrPort{}, fmt.Errorf("read address %q: %q is no port from 1 to 65535", text, port)
	}
	return netip.AddrPortFrom(ip.Unmap(), uint16(number)), nil
}

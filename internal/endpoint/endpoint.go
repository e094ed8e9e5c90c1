// Package endpoint says where and how a node is reached.
//
// An [Endpoint] is made once, when a node's record arrives; a record whose address
// cannot be called never becomes one. A [Transport] makes connections to endpoints.
// Whoever chooses nodes or makes calls knows these two and neither addresses nor
// the protocol behind them.
package endpoint

import (
	"errors"
	"fmt"
	"net"
	"strings"

	"github.com/rollcall-go/micro/internal/netaddr"
	"github.com/rollcall-go/micro/internal/record"
	"github.com/rollcall-go/micro/registry"
)

// GRPC is the transport of nodes that name none which the client has.
const GRPC = "grpc"

// Endpoint is one place to call. It can be compared, so that it can be the key of
// a map.
type Endpoint struct {
	// Transport is the name of what carries the calls.
	Transport string
	// Host is host:port, an IPv6 host in brackets.
	Host string
	// TLS says that the connection is secured.
	TLS bool
	// Service is whom the certificate has to be for, where names of services are
	// verified; else it is empty.
	Service string
	// Says is what the node's metadata say of TLS, under record.TLS.
	Says string
	// Pings says that the node bears to be asked for a sign of life at any time, as
	// ours do and those of go-micro v2 do not.
	Pings bool
}

// String returns the endpoint as an address.
func (e Endpoint) String() string {
	if e.TLS {
		return "https://" + e.Host
	}
	return e.Host
}

// OfNode returns the endpoint of a registered node. What is not in its address, its
// metadata say.
func OfNode(n *registry.Node) (Endpoint, error) {
	e, err := Parse(n.Address)
	if t := n.Metadata["transport"]; t != "" {
		e.Transport = t
	}
	e.Pings = n.Metadata[record.Mark] != ""
	e.Says = n.Metadata[record.TLS]
	return e, err
}

// Parse returns the endpoint of an address: host:port, or https://host with or
// without a port, which demands TLS. Nothing else can be called: a unix socket
// would be one of the caller's own host.
func Parse(address string) (Endpoint, error) {
	e := Endpoint{Transport: GRPC}
	e.Host, e.TLS = strings.CutPrefix(address, "https://")
	if e.TLS && e.Host != "" && netaddr.Check(e.Host, true) != nil && netaddr.Check(e.Host, false) == nil {
		e.Host = net.JoinHostPort(strings.Trim(e.Host, "[]"), "443")
	}
	if err := check(e.Host); err != nil {
		return e, fmt.Errorf("read the address %q: %w", excerpt(address), err)
	}
	return e, nil
}

// check returns what keeps host from being called.
func check(host string) error {
	if err := netaddr.Check(host, true); err != nil {
		return err
	}
	h, port, err := net.SplitHostPort(host)
	switch {
	case err != nil:
		return errors.New("want host:port, an IPv6 host in brackets")
	case h == "":
		return errors.New("the host is missing: want host:port")
	}
	if n, _ := net.LookupPort("tcp", port); n == 0 { // however it is written
		return errors.New("nobody can be called at port 0")
	}
	return nil
}

// maxExcerpt bounds what an error quotes of an address: records come from outside.
const maxExcerpt = 200

func excerpt(address string) string {
	if len(address) > maxExcerpt {
		return address[:maxExcerpt] + "..."
	}
	return address
}

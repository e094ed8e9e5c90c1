package etcd

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"sync/atomic"
	"time"
)

// leastDialTime is what each of several members gets of the time for a connection.
const leastDialTime = 300 * time.Millisecond

// dial makes a TCP connection for grpc, to one of the members that the endpoint
// stands for.
func (l *link) dial(ctx context.Context, endpoint string) (net.Conn, error) {
	configured := cmp.Or(l.addrs[endpoint], endpoint)
	all, err := l.members.of(ctx, configured)
	if err != nil {
		if _, ok := errors.AsType[*net.DNSError](err); ok {
			l.failed(err)
		}
		return nil, err
	}
	for i, m := range all {
		var c *netConn
		if c, err = l.dialMember(ctx, m, len(all)-i); err == nil {
			l.opened(c)
			return c, nil
		}
		l.failed(err)
	}
	return nil, err
}

// dialMember dials m, which is the first of so many yet to be tried.
func (l *link) dialMember(ctx context.Context, m member, left int) (*netConn, error) {
	if deadline, ok := ctx.Deadline(); ok && left > 1 {
		share := max(time.Until(deadline)/time.Duration(left), leastDialTime)
		bounded, cancel := context.WithTimeout(ctx, share)
		defer cancel()
		ctx = bounded
	}
	if l.closedEarly(m) {
		if err := l.wrongProtocol(ctx, m); err != nil {
			l.noteClosedEarly(m)
			return nil, err
		}
	}
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", m.addr)
	if err != nil {
		if ctx.Err() != nil { // it is not even refused
			l.members.shun(m.addr)
		}
		return nil, err
	}
	return &netConn{Conn: conn, link: l, member: m}, nil
}

// netConn is a TCP connection that reports to its link what arrives and that it
// was closed.
type netConn struct {
	net.Conn
	link        *link
	member      member
	received    atomic.Bool // something arrived
	handshaking atomic.Bool // a handshake is under way
	reported    atomic.Bool // its end was explained
	closed      atomic.Bool
}

func (c *netConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if n > 0 {
		c.received.Store(true)
		c.link.markReceived(time.Now())
	}
	return n, err
}

func (c *netConn) Close() error {
	if c.closed.Swap(true) {
		return nil
	}
	if !c.received.Load() {
		c.link.members.shun(c.member.addr)
		if !c.handshaking.Load() {
			c.report(fmt.Errorf("connected to %q, but it does not answer", c.member.name))
		}
	}
	c.link.closed(c)
	return c.Conn.Close()
}

// report tells the link why c ended; the first reason counts.
func (c *netConn) report(err error) {
	if !c.reported.Swap(true) {
		c.link.failed(err)
	}
}

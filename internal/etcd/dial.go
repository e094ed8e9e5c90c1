package etcd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync/atomic"
	"time"

	"google.golang.org/grpc/credentials"
)

// dial makes a TCP connection for grpc.
func (l *link) dial(ctx context.Context, endpoint string) (net.Conn, error) {
	addr, ok := l.addrs[endpoint]
	if !ok {
		addr = endpoint
	}
	if l.avoided(addr) {
		return nil, fmt.Errorf("avoid %s, which stopped answering a moment ago", addr)
	}
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", addr)
	if err != nil {
		l.failed(err)
		return nil, err
	}
	c := &netConn{Conn: conn, link: l, addr: addr}
	l.opened(c)
	return c, nil
}

// netConn is a TCP connection that reports to its link what arrives and that it
// was closed.
type netConn struct {
	net.Conn
	link        *link
	addr        string
	received    atomic.Bool // something arrived
	handshaking atomic.Bool // a handshake is under way
	reported    atomic.Bool // its end was explained
	closed      atomic.Bool
}

func (c *netConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if n > 0 {
		c.received.Store(true)
		c.link.hear(time.Now())
	}
	return n, err
}

func (c *netConn) Close() error {
	if c.closed.Swap(true) {
		return nil
	}
	if !c.received.Load() && !c.handshaking.Load() {
		c.report(fmt.Errorf("connected to %s, but it does not answer", c.addr))
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

// watchedCreds makes handshakes and reports those that fail, which grpc keeps to
// itself while it tries again, and the errors that are read from the connection
// afterwards: a server refuses a client's certificate only then.
type watchedCreds struct {
	credentials.TransportCredentials
	tls  *tlsSettings // nil: no TLS
	link *link
}

var _ credentials.TransportCredentials = (*watchedCreds)(nil)

func (w *watchedCreds) Clone() credentials.TransportCredentials {
	return &watchedCreds{w.TransportCredentials.Clone(), w.tls, w.link}
}

func (w *watchedCreds) ClientHandshake(ctx context.Context, authority string, raw net.Conn) (net.Conn, credentials.AuthInfo, error) {
	c, ok := raw.(*netConn)
	if !ok {
		return nil, nil, fmt.Errorf("shake hands over a %T: it was not dialed here", raw)
	}
	if w.tls == nil {
		conn, info, err := w.TransportCredentials.ClientHandshake(ctx, authority, raw)
		return &watchedConn{Conn: conn, tcp: c}, info, err
	}
	var shown shownCertificate
	c.handshaking.Store(true) // a handshake that fails closes c before it returns
	conn, info, err := w.tls.handshake(ctx, authority, raw, &shown)
	c.handshaking.Store(false)
	if err != nil {
		err = fmt.Errorf("TLS handshake with %s: %w", c.addr, withoutPorts(err))
		if fault := shown.fault(time.Now()); fault != "" {
			err = fmt.Errorf("%w; %s", err, fault)
		}
		c.report(w.withFileProblem(err))
		return nil, nil, err
	}
	return &watchedConn{Conn: conn, tcp: c, creds: w, shown: &shown}, info, nil
}

// withFileProblem adds to err why new files are not in use, if that is so.
func (w *watchedCreds) withFileProblem(err error) error {
	if problem := w.tls.unreadable(); problem != nil && !errors.Is(err, problem) {
		return fmt.Errorf("%w; the files there now cannot be used: %w", err, problem)
	}
	return err
}

// watchedConn is a connection after the handshake. It notes how it ends.
type watchedConn struct {
	net.Conn
	tcp      *netConn
	creds    *watchedCreds     // nil without TLS
	shown    *shownCertificate // nil without TLS
	answered atomic.Bool       // something arrived since the handshake
}

func (c *watchedConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if n > 0 {
		c.answered.Store(true)
	}
	c.ended(err)
	return n, err
}

// Write notes failures because they may come before the end is read.
func (c *watchedConn) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	c.ended(err)
	return n, err
}

// ended says why the connection ended, if err is that it did. The end of one that
// we closed was explained, or needs no explanation.
func (c *watchedConn) ended(err error) {
	if err == nil || errors.Is(err, net.ErrClosed) {
		return
	}
	addr, err := c.tcp.addr, withoutPorts(err)
	switch {
	case !c.answered.Load() && c.shown != nil:
		why := ""
		if fault := c.shown.fault(time.Now()); fault != "" {
			why = "; " + fault
		}
		c.tcp.report(c.creds.withFileProblem(fmt.Errorf("%s closed the connection after the TLS handshake%s: %w", addr, why, err)))
	case !c.answered.Load():
		c.tcp.report(fmt.Errorf("%s closed the connection before it answered; perhaps it wants TLS: %w", addr, err))
	case errors.Is(err, io.EOF):
		c.tcp.report(fmt.Errorf("%s closed the connection", addr))
	default:
		c.tcp.report(fmt.Errorf("lost the connection to %s: %w", addr, err))
	}
}

// withoutPorts strips the local port from a network error, so that the same
// error reads the same the next time.
func withoutPorts(err error) error {
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Source != nil {
		return op.Err
	}
	return err
}

package etcd

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"sync/atomic"
	"time"

	"google.golang.org/grpc/credentials"

	"github.com/rollcall-go/micro/internal/refusal"
)

// watchedCreds makes handshakes and reports those that fail, which grpc keeps to
// itself while it tries again, and the errors that are read from the connection
// afterwards: a server refuses a client's certificate only then.
type watchedCreds struct {
	credentials.TransportCredentials
	tls *tlsSettings // nil: no TLS
}

var _ credentials.TransportCredentials = (*watchedCreds)(nil)

func (w *watchedCreds) Clone() credentials.TransportCredentials {
	return &watchedCreds{w.TransportCredentials.Clone(), w.tls}
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
		if !c.received.Load() {
			c.link.noteClosedEarly(c.member)
		}
		err = w.explain(fmt.Sprintf("TLS handshake with %q", c.member.name), err, &shown)
		c.report(err)
		return nil, nil, err
	}
	return &watchedConn{Conn: conn, tcp: c, creds: w, shown: &shown}, info, nil
}

// explain adds to err, which ended what, the fault of the certificate that was shown,
// and why new files are not in use, if either is so.
func (w *watchedCreds) explain(what string, err error, shown *shownCertificate) error {
	fault, certain := shown.fault(time.Now())
	certain = certain || mismatched(err)
	switch problem := w.tls.unreadable(); {
	case problem != nil && !errors.Is(err, problem):
		err = fmt.Errorf("%w; the files there now cannot be used: %w", withoutPorts(err), problem)
	default:
		err = withoutPorts(err)
	}
	if fault != "" {
		what += "; " + fault
	}
	err = fmt.Errorf("%s: %w", what, err)
	if certain {
		err = refusal.Mark(refusal.Mismatch, err)
	}
	return err
}

// mismatched reports whether a handshake ended because the two sides do not fit: a
// certificate that does not verify, a server without TLS, an alert of either side.
func mismatched(err error) bool {
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return true
	}
	if _, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		return true
	}
	op, ok := errors.AsType[*net.OpError](err)
	return ok && (op.Op == "remote error" || op.Op == "local error")
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
	name := c.tcp.member.name
	switch {
	case !c.answered.Load() && c.shown != nil:
		c.tcp.report(c.creds.explain(fmt.Sprintf("%q closed the connection after the TLS handshake", name), err, c.shown))
	case !c.answered.Load():
		c.tcp.link.noteClosedEarly(c.tcp.member)
		c.tcp.report(fmt.Errorf("%q closed the connection before it answered; perhaps it wants TLS: %w", name, withoutPorts(err)))
	case errors.Is(err, io.EOF):
		c.tcp.report(fmt.Errorf("%q closed the connection", name))
	default:
		c.tcp.report(fmt.Errorf("lost the connection to %q: %w", name, withoutPorts(err)))
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

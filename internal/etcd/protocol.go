package etcd

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/rollcall-go/micro/internal/refusal"
)

// A server that is spoken to with TLS and has none, or the other way round, closes the
// connection without a word, as a load balancer does with nothing behind it. Asked the
// other way, it answers.

// wrongProtocol returns an error if m, which closed connections before it answered,
// speaks TLS where none is asked for, or none where it is.
func (l *link) wrongProtocol(ctx context.Context, m member) error {
	switch {
	case l.tls && speaksPlain(ctx, m.addr):
		return refusal.Mark(refusal.Mismatch, fmt.Errorf("TLS handshake with %q: it speaks plain text, but TLS is asked for", m.name))
	case !l.tls && speaksTLS(ctx, m.addr):
		return refusal.Mark(refusal.Mismatch, fmt.Errorf(
			"%q speaks TLS, which is not asked for: write https:// before the address, or give the authority of its certificate", m.name))
	}
	return nil
}

// speaksTLS reports whether the server at addr shows a certificate if it is asked to.
func speaksTLS(ctx context.Context, addr string) bool {
	raw, err := new(net.Dialer).DialContext(ctx, "tcp", addr)
	if err != nil {
		return false
	}
	defer raw.Close()
	host, _, _ := net.SplitHostPort(withoutZone(addr))
	err = tls.Client(raw, &tls.Config{ServerName: host, MinVersion: tls.VersionTLS12}).HandshakeContext(ctx)
	_, untrusted := errors.AsType[*tls.CertificateVerificationError](err)
	return err == nil || untrusted
}

const (
	// preface begins a connection of HTTP/2: the client's words and empty settings.
	preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00"
	// settingsFrame is the type of the frame that a server answers with.
	settingsFrame = 4
	// plainTimeout bounds the wait for it where ctx does not.
	plainTimeout = time.Second
)

// speaksPlain reports whether the server at addr answers HTTP/2 without TLS.
func speaksPlain(ctx context.Context, addr string) bool {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", addr)
	if err != nil {
		return false
	}
	defer conn.Close()
	deadline := time.Now().Add(plainTimeout)
	if d, ok := ctx.Deadline(); ok && d.Before(deadline) {
		deadline = d
	}
	if conn.SetDeadline(deadline) != nil {
		return false
	}
	if _, err := io.WriteString(conn, preface); err != nil {
		return false
	}
	var header [9]byte // of a frame: length, type, flags, stream
	if _, err := io.ReadFull(conn, header[:]); err != nil {
		return false
	}
	return header[3] == settingsFrame
}

// Package quic stands in for the QUIC transport that the tool links and never opens here: the real
// one of its time ends the process at start under a Go of today.
package quic

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"time"
)

type Stream interface {
	io.ReadWriteCloser
	SetDeadline(time.Time) error
	SetReadDeadline(time.Time) error
	SetWriteDeadline(time.Time) error
}

type Session interface {
	AcceptStream(context.Context) (Stream, error)
	OpenStream() (Stream, error)
	OpenStreamSync(context.Context) (Stream, error)
	LocalAddr() net.Addr
	RemoteAddr() net.Addr
	Close() error
}

type Listener interface {
	Accept(context.Context) (Session, error)
	Addr() net.Addr
	Close() error
}

type Config struct {
	KeepAlive   bool
	IdleTimeout time.Duration
}

var errNone = errors.New("no quic here")

func ListenAddr(string, *tls.Config, *Config) (Listener, error) { return nil, errNone }
func DialAddr(string, *tls.Config, *Config) (Session, error)    { return nil, errNone }

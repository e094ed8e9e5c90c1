package grpc

import (
	"net"
	"net/http"
	"sync"
	"time"

	stderrors "errors"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/peer"

	"github.com/rollcall-go/micro/errors"
	"github.com/rollcall-go/micro/internal/defaults"
	"github.com/rollcall-go/micro/internal/rpc"
	"github.com/rollcall-go/micro/internal/secure"
)

// turned answers the calls on connections that are not let in: with the reason, which
// clients of every kind can read, where a connection that is closed tells them nothing.
// It is a server of its own, so that nothing of the program's is ever reached through it.
type turned struct {
	grpc   *grpc.Server
	conns  chan turnedConn
	closed chan struct{}
	once   sync.Once
	served chan struct{} // closed when Serve has returned
}

// turnedConn is a connection with why it is not let in, which ends it when its time is
// over.
type turnedConn struct {
	net.Conn
	why error
	end *time.Timer
}

func (c turnedConn) Close() error {
	c.end.Stop()
	return c.Conn.Close()
}

// turnedAge is how long a connection that is not let in may last, whatever comes of it. The
// server that hands it over takes its deadline away at about the same moment, so that a
// deadline cannot see to that.
const turnedAge = 2 * defaults.HandshakeTimeout

// startTurned begins to answer. Its owner stops it.
func startTurned() *turned {
	t := &turned{conns: make(chan turnedConn), closed: make(chan struct{}), served: make(chan struct{})}
	t.grpc = grpc.NewServer(
		grpc.Creds(turnedCredentials{credentials.NewTLS(nil)}),
		grpc.UnknownServiceHandler(sayWhy),
		grpc.ConnectionTimeout(defaults.HandshakeTimeout),
		grpc.MaxHeaderListSize(defaults.MaxHeaderListSize),
		grpc.MaxConcurrentStreams(defaults.MaxConcurrentStreams),
		grpc.KeepaliveParams(keepalive.ServerParameters{MaxConnectionAge: defaults.HandshakeTimeout, MaxConnectionAgeGrace: time.Second}),
	)
	go func() {
		defer close(t.served)
		_ = t.grpc.Serve(t) // ends by stop alone: Accept fails with nothing else
	}()
	return t
}

// hand gives a connection to t, or closes it if t was stopped.
func (t *turned) hand(c net.Conn, why error) {
	end := time.AfterFunc(turnedAge, func() { _ = c.Close() }) // the server that reads from it is told
	turned := turnedConn{c, why, end}
	select {
	case t.conns <- turned:
	case <-t.closed:
		_ = turned.Close() // there is nobody left to tell
	}
}

// stop closes the connections and waits.
func (t *turned) stop() {
	t.grpc.Stop()
	<-t.served
}

// Accept is that of a net.Listener, as are the next two.
func (t *turned) Accept() (net.Conn, error) {
	select {
	case c := <-t.conns:
		return c, nil
	case <-t.closed:
		return nil, net.ErrClosed
	}
}

func (t *turned) Close() error { t.once.Do(func() { close(t.closed) }); return nil }

func (t *turned) Addr() net.Addr { return turnedAddr{} }

type turnedAddr struct{}

func (turnedAddr) Network() string { return "handed over" }
func (turnedAddr) String() string  { return "connections that are not let in" }

// turnedCredentials find out why a connection is not let in; who it is was found out
// before.
type turnedCredentials struct {
	credentials.TransportCredentials
}

type turnedInfo struct {
	credentials.CommonAuthInfo
	why error
}

func (turnedInfo) AuthType() string { return "turned away" }

func (c turnedCredentials) Clone() credentials.TransportCredentials { return c }

func (turnedCredentials) ServerHandshake(raw net.Conn) (net.Conn, credentials.AuthInfo, error) {
	c := raw.(turnedConn) // Accept returns no other
	return c, turnedInfo{why: c.why}, nil
}

// sayWhy answers every call. What is wrong with plaintext has code 500, so that clients
// of go-micro v2 try another node.
func sayWhy(_ any, stream grpc.ServerStream) error {
	p, _ := peer.FromContext(stream.Context())
	info, _ := p.AuthInfo.(turnedInfo)
	code := int32(http.StatusInternalServerError)
	if stderrors.Is(info.why, secure.ErrNotAllowed) {
		code = http.StatusForbidden
	}
	return rpc.ToStatus(errors.New(rpc.ServerID, info.why.Error(), code))
}

package secure

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"sync"
	"time"

	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/rollcall-go/micro/internal/reload"
)

// Acceptor makes the handshakes of one server. It finds out by the first byte of a
// connection whether TLS or plaintext is spoken on it. It may be used by several
// goroutines at once, and waits as long as the connection's deadline lets it, for nobody
// else's.
type Acceptor struct {
	server Server
	files  *reload.TLS
	shared *tls.Config // of all handshakes, if nothing comes from files
	told   Told

	mu      sync.Mutex
	pending map[net.Conn]bool // that have not said enough yet; nil once shut
}

// Told is what the owner of an Acceptor hears of. Its functions are called from several
// goroutines at once; all of them have to be there.
type Told struct {
	// Warn is given a sentence, without any secret, when a file can no longer be used and
	// what was there before stays in force.
	Warn func(text string)
	// Plaintext is told of each connection in plaintext that is let in.
	Plaintext func(net.Conn)
	// Failed is told of each handshake that failed, and why.
	Failed func(net.Conn, error)
	// Turned is given each connection that speaks but is not let in, and why, so that it
	// can say so. It owns the connection from then on.
	Turned func(net.Conn, error)
}

// Why a connection is turned away: errors that wrap one of these.
var (
	// ErrPlaintext: it is in plaintext.
	ErrPlaintext = errors.New("this server speaks TLS only, and was called in plaintext")
	// ErrNotAllowed: it is a caller's who is not among those that are let in.
	ErrNotAllowed = errors.New("this server does not let the caller in")
)

// NewAcceptor returns the acceptor of a server that speaks TLS.
func NewAcceptor(s Server, told Told) *Acceptor {
	a := &Acceptor{server: s, files: reload.NewTLS(s.Files, told.Warn), told: told, pending: map[net.Conn]bool{}}
	if !s.Files.Given() {
		a.shared = forServer(s.Config.Clone())
	}
	return a
}

// Shut breaks off the connections on which nobody has begun to speak HTTP/2 yet, and those
// that come later: a server that stops need not wait for somebody who says nothing.
func (a *Acceptor) Shut() {
	a.mu.Lock()
	defer a.mu.Unlock()
	for c := range a.pending {
		_ = c.Close() // whoever reads from it is told
	}
	a.pending = nil
}

// begin reports whether a handshake may begin, which the caller then ends.
func (a *Acceptor) begin(c net.Conn) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.pending == nil {
		return false
	}
	a.pending[c] = true
	return true
}

func (a *Acceptor) end(c net.Conn) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.pending, c)
}

// forServer adds to config, which it changes, the name of HTTP/2, without which current
// clients of gRPC refuse.
func forServer(config *tls.Config) *tls.Config {
	if !slices.Contains(config.NextProtos, h2) {
		config.NextProtos = append(slices.Clip(config.NextProtos), h2)
	}
	if own := config.GetConfigForClient; own != nil {
		config.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
			c, err := own(hello)
			if err != nil || c == nil || slices.Contains(c.NextProtos, h2) {
				return c, err
			}
			return forServer(c.Clone()), nil
		}
	}
	return config
}

// config returns the settings of one handshake.
func (a *Acceptor) config() (*tls.Config, error) {
	if a.shared != nil {
		return a.shared, nil
	}
	config, err := a.files.Server(a.server.Config)
	if err != nil {
		return nil, err
	}
	return forServer(config), nil
}

// Credentials returns a as what a server of gRPC takes.
func (a *Acceptor) Credentials() credentials.TransportCredentials {
	return &accepting{TransportCredentials: credentials.NewTLS(nil), acceptor: a}
}

type accepting struct {
	credentials.TransportCredentials // says that it is TLS
	acceptor                         *Acceptor
}

func (c *accepting) Clone() credentials.TransportCredentials { d := *c; return &d }

// ServerHandshake makes the handshake, or finds that there is none to make.
func (c *accepting) ServerHandshake(raw net.Conn) (net.Conn, credentials.AuthInfo, error) {
	a := c.acceptor
	if !a.begin(raw) {
		return nil, nil, net.ErrClosed
	}
	conn, plain, err := sniff(raw)
	switch {
	case err != nil:
		a.end(raw)
		return nil, nil, fmt.Errorf("read the first byte of a connection: %w", err) // a probe of the port, or nobody
	case plain && a.server.Plaintext:
		a.told.Plaintext(raw)
		return insecure.NewCredentials().ServerHandshake(a.arriving(raw, conn))
	case plain:
		a.told.Turned(a.arriving(raw, conn), fmt.Errorf("%w; call it by TLS (%s)", ErrPlaintext, byTLS))
		return nil, nil, credentials.ErrConnDispatched
	}
	secured, err := a.handshake(conn)
	if err != nil {
		a.told.Failed(raw, err)
		hearOut(raw)
		a.end(raw)
		return nil, nil, err
	}
	state := secured.ConnectionState()
	if err := a.server.Admit(state); err != nil {
		a.told.Turned(a.arriving(raw, secured), err)
		return nil, nil, credentials.ErrConnDispatched
	}
	info := credentials.TLSInfo{State: state}
	info.SecurityLevel = credentials.PrivacyAndIntegrity
	return a.arriving(raw, secured), info, nil
}

// hearOut reads what the other end of a failed handshake still sends, until it closes or
// has had its time. A client may begin to speak before it reads why it is refused, and a
// connection that is closed with something unread is reset, which takes the reason away.
func hearOut(raw net.Conn) {
	const patience, most = time.Second, 64 << 10
	if half, ok := raw.(interface{ CloseWrite() error }); ok && half.CloseWrite() != nil {
		return // nothing can be said over it any more
	}
	if raw.SetReadDeadline(time.Now().Add(patience)) == nil {
		_, _ = io.CopyN(io.Discard, raw, most) // whichever end it has, the connection is closed
	}
}

// arriving returns conn, which came over raw, as one that Shut breaks off as long as nobody
// has begun to speak HTTP/2 on it.
func (a *Acceptor) arriving(raw, conn net.Conn) net.Conn {
	const enough = 24 + 9 // the preface and the head of the first frame
	return &arriving{Conn: conn, missing: enough, arrived: func() { a.end(raw) }}
}

// arriving is a connection that is told of when enough was read of it.
type arriving struct {
	net.Conn
	missing int    // of what is enough
	arrived func() // may be called more than once
}

func (c *arriving) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if c.missing > 0 {
		if c.missing -= n; c.missing <= 0 {
			c.arrived()
		}
	}
	return n, err
}

func (c *arriving) Close() error {
	c.arrived()
	return c.Conn.Close()
}

// handshake makes the handshake within the deadline that conn has.
func (a *Acceptor) handshake(conn net.Conn) (*tls.Conn, error) {
	config, err := a.config()
	if err != nil {
		return nil, err
	}
	secured := tls.Server(conn, config)
	if err := secured.HandshakeContext(context.Background()); err != nil { // bounded by the deadline that grpc sets
		return nil, explainCaller(err)
	}
	if secured.ConnectionState().NegotiatedProtocol != h2 {
		return nil, errors.New("the caller speaks no HTTP/2, or names it in no ALPN of its handshake")
	}
	return secured, nil
}

// explainCaller returns err, with which a server's handshake ended, in words of what
// to mend where package tls has others.
func explainCaller(err error) error {
	if alert, ok := alertOf(err); ok {
		switch alert {
		case alertBadCertificate, alertUnknownCA, alertCertificateUnknown, alertCertificateExpired:
			return fmt.Errorf("the caller refuses this server's certificate: %w", err)
		}
	}
	return err
}

// sniff reads the first byte of a connection and reports whether it is HTTP/2 in
// plaintext. Whatever is neither that nor TLS is left to TLS, which refuses it.
func sniff(raw net.Conn) (conn net.Conn, plain bool, err error) {
	s := &sniffed{Conn: raw}
	if _, err := raw.Read(s.first[:]); err != nil {
		return nil, false, err
	}
	s.held = true
	return s, s.first[0] == preface[0], nil
}

// preface begins HTTP/2 in plaintext; no handshake of TLS begins so.
const preface = "PRI * HTTP/2.0"

// sniffed is a connection whose first byte was read already.
type sniffed struct {
	net.Conn
	first [1]byte
	held  bool // first is still to be read
}

func (s *sniffed) Read(p []byte) (int, error) {
	if s.held && len(p) > 0 {
		s.held = false
		return copy(p, s.first[:]), nil
	}
	return s.Conn.Read(p)
}

package fleet

import (
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Listener is a listener on a loopback address that keeps what becomes of it.
type Listener struct {
	net.Listener
	once     sync.Once
	served   chan time.Time
	accepted atomic.Int64
	open     atomic.Int64
}

// Listen returns a listener for a server, which closes it.
func Listen(t testing.TB) *Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return &Listener{Listener: l, served: make(chan time.Time, 1)}
}

// Accept counts.
func (l *Listener) Accept() (net.Conn, error) {
	l.once.Do(func() { l.served <- time.Now() })
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	l.accepted.Add(1)
	l.open.Add(1)
	return &accepted{Conn: conn, closed: sync.OnceFunc(func() { l.open.Add(-1) })}, nil
}

// accepted is a connection that says when the server closes it, which it does when
// the client has.
type accepted struct {
	net.Conn
	closed func()
}

func (a *accepted) Close() error {
	a.closed()
	return a.Conn.Close()
}

// Accepted returns how many connections were accepted.
func (l *Listener) Accepted() int { return int(l.accepted.Load()) }

// Open returns how many of them are open.
func (l *Listener) Open() int { return int(l.open.Load()) }

// Served waits until somebody accepts connections, and returns when that began. It
// may be called once.
func (l *Listener) Served() time.Time { return <-l.served }

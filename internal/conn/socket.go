package conn

import (
	"context"
	"net"
	"sync/atomic"
	"time"
)

// userTimeout is how long the system goes on sending what a peer does not
// acknowledge before it gives the connection up: a quarter of an hour otherwise.
const userTimeout = 10 * time.Second

// dial connects to a node: by TCP alone, and never through a proxy, which is for
// the way out of the fleet.
func (w *wire) dial(ctx context.Context, host string) (net.Conn, error) {
	dialer := net.Dialer{Control: limitSilence}
	c, err := dialer.DialContext(ctx, "tcp", host)
	if err != nil {
		return nil, err
	}
	return &socket{Conn: c, reads: &w.received}, nil
}

// socket counts the reads that bring something: any byte is a sign of life.
type socket struct {
	net.Conn
	reads *atomic.Uint64
}

func (s *socket) Read(p []byte) (int, error) {
	n, err := s.Conn.Read(p)
	if n > 0 {
		s.reads.Add(1)
	}
	return n, err
}

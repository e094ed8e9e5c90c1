package testkit

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Proxy forwards TCP connections to one address, until it is told to break them.
// All methods are safe for concurrent use.
type Proxy struct {
	addr, target string
	wg           sync.WaitGroup

	mu       sync.Mutex
	listener net.Listener  // nil while cut
	pass     chan struct{} // closed while connections are carried
	held     bool          // pass is not closed
	conns    map[*proxied]struct{}
	accepted int
}

// proxied is one accepted connection and its counterpart.
type proxied struct {
	client, server net.Conn // server is nil until it is dialled
	gone           chan struct{}
}

// StartProxy starts a proxy in front of target, a host:port. It ends with the
// test.
func StartProxy(t testing.TB, target string) *Proxy {
	t.Helper()
	open := make(chan struct{})
	close(open)
	p := &Proxy{addr: freeAddr(t), target: target, pass: open, conns: make(map[*proxied]struct{})}
	if err := p.listen(); err != nil {
		t.Fatalf("start a proxy: %v", err)
	}
	t.Cleanup(p.Cut)
	return p
}

// Addr returns the host:port to connect to. It stays the same.
func (p *Proxy) Addr() string { return p.addr }

// Conns returns how many connections were accepted since the start.
func (p *Proxy) Conns() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.accepted
}

// Open returns how many of them are open.
func (p *Proxy) Open() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.conns)
}

// Cut closes all connections and refuses new ones, until Restore. When it
// returns, no connection is open.
func (p *Proxy) Cut() {
	p.mu.Lock()
	if p.listener != nil {
		closeQuietly(p.listener)
		p.listener = nil
	}
	for c := range p.conns {
		c.close()
	}
	p.mu.Unlock()
	p.wg.Wait()
}

// Blackhole accepts connections and keeps them open, but carries nothing, until
// Restore. What is under way when it is called may still arrive; what is sent
// later arrives after Restore, as on a network that lost packets for a while.
func (p *Proxy) Blackhole() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.held {
		p.pass, p.held = make(chan struct{}), true
	}
}

// Restore ends a Cut and a Blackhole.
func (p *Proxy) Restore(t testing.TB) {
	t.Helper()
	p.mu.Lock()
	if p.held {
		close(p.pass)
		p.held = false
	}
	cut := p.listener == nil
	p.mu.Unlock()
	if !cut {
		return
	}
	if err := p.listen(); err != nil {
		t.Fatalf("restore the proxy: %v", err)
	}
}

// listen takes the address, again if need be. A process that is started at the
// moment of a Cut holds a copy of the closed listener until it runs its program.
func (p *Proxy) listen() error {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	l, err := net.Listen("tcp", p.addr)
	for errors.Is(err, syscall.EADDRINUSE) && ctx.Err() == nil {
		pauseFor(ctx, pause)
		l, err = net.Listen("tcp", p.addr)
	}
	if err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.listener = l
	p.wg.Go(func() { p.accept(l) })
	return nil
}

func (p *Proxy) accept(l net.Listener) {
	for {
		conn, err := l.Accept()
		if err != nil {
			return // cut or closed
		}
		c := &proxied{client: conn, gone: make(chan struct{})}
		p.mu.Lock()
		if p.listener != l { // accepted while being cut
			p.mu.Unlock()
			closeQuietly(conn)
			return
		}
		p.accepted++
		p.conns[c] = struct{}{}
		p.wg.Go(func() { p.serve(c) })
		p.mu.Unlock()
	}
}

// serve carries one connection until either side ends it.
func (p *Proxy) serve(c *proxied) {
	defer func() {
		p.mu.Lock()
		c.close()
		delete(p.conns, c)
		p.mu.Unlock()
	}()
	if !p.mayPass(c) {
		return
	}
	server, err := net.DialTimeout("tcp", p.target, 5*time.Second)
	if err != nil {
		return // the client sees its connection closed
	}
	p.mu.Lock()
	c.server = server
	cut := c.isGone()
	p.mu.Unlock()
	if cut {
		closeQuietly(server)
		return
	}
	var replies sync.WaitGroup
	replies.Go(func() { p.carry(c, c.client, server) })
	p.carry(c, server, c.client)
	replies.Wait()
}

// carry copies from src to dst while it may. Its end closes both.
func (p *Proxy) carry(c *proxied, dst, src net.Conn) {
	defer func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		c.close()
	}()
	buf := make([]byte, 32<<10)
	for {
		n, err := src.Read(buf)
		if n > 0 {
			if !p.mayPass(c) {
				return
			}
			if _, err := dst.Write(buf[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// mayPass waits for the end of a Blackhole. It returns false when c is closed
// meanwhile.
func (p *Proxy) mayPass(c *proxied) bool {
	p.mu.Lock()
	pass := p.pass
	p.mu.Unlock()
	select {
	case <-pass:
		return true
	case <-c.gone:
		return false
	}
}

// close closes both sides. The caller holds the proxy's lock.
func (c *proxied) close() {
	if c.isGone() {
		return
	}
	close(c.gone)
	closeQuietly(c.client)
	if c.server != nil {
		closeQuietly(c.server)
	}
}

func (c *proxied) isGone() bool {
	select {
	case <-c.gone:
		return true
	default:
		return false
	}
}

// closeQuietly closes what may have been closed by the other side already.
func closeQuietly(c io.Closer) { _ = c.Close() }

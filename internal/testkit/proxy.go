package testkit

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// Proxy forwards TCP connections to one address, until it is told to break them.
// All methods are safe for concurrent use.
type Proxy struct {
	addr, target string
	wg           sync.WaitGroup
	carried      [2]atomic.Int64 // bytes, by direction

	mu       sync.Mutex
	listener net.Listener // nil while cut
	gates    [2]gate      // by direction
	dropping bool
	delay    time.Duration
	conns    map[*proxied]struct{}
	accepted int
}

// direction is the way in which a connection carries bytes.
type direction int

const (
	requests direction = iota // from the client
	replies                   // to the client
)

// gate lets one direction pass, or holds it.
type gate struct {
	pass chan struct{} // closed while bytes are carried
	held bool          // pass is not closed
}

func openGate() gate {
	open := make(chan struct{})
	close(open)
	return gate{pass: open}
}

func (g *gate) hold() {
	if !g.held {
		g.pass, g.held = make(chan struct{}), true
	}
}

func (g *gate) release() {
	if g.held {
		close(g.pass)
		g.held = false
	}
}

// proxied is one accepted connection and its counterpart.
type proxied struct {
	client, server net.Conn // server is nil until it is dialled
	gone           chan struct{}
	lossy          bool // bytes of it were dropped
}

// StartProxy starts a proxy in front of target, a host:port. It ends with the
// test.
func StartProxy(t testing.TB, target string) *Proxy {
	t.Helper()
	p := &Proxy{
		addr:   freeAddr(t),
		target: target,
		gates:  [2]gate{openGate(), openGate()},
		conns:  make(map[*proxied]struct{}),
	}
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

// Received returns how many bytes clients were sent since the start.
func (p *Proxy) Received() int64 { return p.carried[replies].Load() }

// Sent returns how many bytes clients have sent since the start, as far as they
// were carried on.
func (p *Proxy) Sent() int64 { return p.carried[requests].Load() }

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
	p.gates[requests].hold()
	p.gates[replies].hold()
}

// HalfOpen is a Blackhole for what clients would receive alone: what they send
// arrives, until Restore.
func (p *Proxy) HalfOpen() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.gates[replies].hold()
}

// Drop accepts connections and throws away what is sent over any, until Restore,
// which resets the connections that lost something.
func (p *Proxy) Drop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.dropping = true
}

// Forget throws away all that is sent over the connections that are open, in both
// directions, until Restore, which resets them. New ones are carried: so does a NAT
// or a load balancer that forgot them, acknowledging what it is sent.
func (p *Proxy) Forget() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.conns {
		c.lossy = true
	}
}

// Delay holds everything for d in each direction, until Restore.
func (p *Proxy) Delay(d time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.delay = d
}

// Reset ends the connections that are open by a TCP reset, as a peer that lost its
// state does, and returns how many there were. New ones are carried as before.
func (p *Proxy) Reset() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := 0
	for c := range p.conns {
		if !c.isGone() {
			c.reset()
			n++
		}
	}
	return n
}

// Restore ends Cut, Blackhole, HalfOpen, Drop, Forget and Delay.
func (p *Proxy) Restore(t testing.TB) {
	t.Helper()
	p.mu.Lock()
	p.gates[requests].release()
	p.gates[replies].release()
	p.dropping, p.delay = false, 0
	for c := range p.conns {
		if c.lossy {
			c.reset()
		}
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
		waitFor(ctx, pollInterval)
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
	if !p.mayPass(c, requests) {
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
	var back sync.WaitGroup
	back.Go(func() { p.carry(c, replies, c.client, server) })
	p.carry(c, requests, server, c.client)
	back.Wait()
}

// carry copies from src to dst while it may. Its end closes both.
func (p *Proxy) carry(c *proxied, d direction, dst, src net.Conn) {
	defer func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		c.close()
	}()
	buf := make([]byte, 32<<10)
	for {
		n, err := src.Read(buf)
		if n > 0 {
			if !p.mayPass(c, d) {
				return
			}
			if !p.lost(c) {
				if _, err := dst.Write(buf[:n]); err != nil {
					return
				}
				p.carried[d].Add(int64(n))
			}
		}
		if err != nil {
			return
		}
	}
}

// mayPass waits for the end of a Delay, a Blackhole or a HalfOpen. It returns
// false when c is closed meanwhile.
func (p *Proxy) mayPass(c *proxied, d direction) bool {
	p.mu.Lock()
	pass, delay := p.gates[d].pass, p.delay
	p.mu.Unlock()
	if delay > 0 {
		timer := time.NewTimer(delay)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-c.gone:
			return false
		}
	}
	select {
	case <-pass:
		return true
	case <-c.gone:
		return false
	}
}

// lost tells whether what c carries now is thrown away.
func (p *Proxy) lost(c *proxied) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	c.lossy = c.lossy || p.dropping
	return c.lossy
}

// reset closes both sides, the client's without a farewell. The caller holds the
// proxy's lock.
func (c *proxied) reset() {
	if tcp, ok := c.client.(*net.TCPConn); ok {
		// Without it the connection is closed in the ordinary way, which ends it too.
		_ = tcp.SetLinger(0)
	}
	c.close()
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

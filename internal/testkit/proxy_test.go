package testkit

import (
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"testing"
	"time"
)

// startEcho starts a server that sends back what it receives.
func startEcho(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() {
				defer closeQuietly(c)
				_, _ = io.Copy(c, c) // ends with the connection
			})
		}
	})
	t.Cleanup(func() {
		closeQuietly(l)
		wg.Wait()
	})
	return l.Addr().String()
}

func dial(t *testing.T, addr string) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closeQuietly(c) })
	return c
}

// echo sends text over c and expects it back.
func echo(c net.Conn, text string, within time.Duration) error {
	if err := c.SetDeadline(time.Now().Add(within)); err != nil {
		return err
	}
	if _, err := io.WriteString(c, text); err != nil {
		return err
	}
	got := make([]byte, len(text))
	if _, err := io.ReadFull(c, got); err != nil {
		return err
	}
	if string(got) != text {
		return errors.New("got " + string(got))
	}
	return nil
}

func TestProxyForwardsAndCounts(t *testing.T) {
	p := StartProxy(t, startEcho(t))
	a, b := dial(t, p.Addr()), dial(t, p.Addr())
	for _, c := range []net.Conn{a, b} {
		if err := echo(c, "hello", 5*time.Second); err != nil {
			t.Fatal(err)
		}
	}
	if p.Conns() != 2 || p.Open() != 2 {
		t.Fatalf("%d accepted, %d open, want 2 and 2", p.Conns(), p.Open())
	}
	closeQuietly(a)
	Eventually(t, 5*time.Second, "one connection open", func() bool { return p.Open() == 1 })
	if p.Conns() != 2 {
		t.Fatalf("%d accepted, want 2", p.Conns())
	}
}

func TestProxyCut(t *testing.T) {
	p := StartProxy(t, startEcho(t))
	c := dial(t, p.Addr())
	if err := echo(c, "hello", 5*time.Second); err != nil {
		t.Fatal(err)
	}
	p.Cut()
	if p.Open() != 0 {
		t.Fatalf("%d open after the cut", p.Open())
	}
	if err := echo(c, "hello", 5*time.Second); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("got %v on a cut connection, want it closed", err)
	}
	if c, err := net.Dial("tcp", p.Addr()); err == nil {
		closeQuietly(c)
		t.Fatal("connected while cut")
	}
	p.Restore(t)
	if err := echo(dial(t, p.Addr()), "again", 5*time.Second); err != nil {
		t.Fatal(err)
	}
}

func TestProxyBlackhole(t *testing.T) {
	p := StartProxy(t, startEcho(t))
	old := dial(t, p.Addr())
	if err := echo(old, "hello", 5*time.Second); err != nil {
		t.Fatal(err)
	}
	p.Blackhole()
	for _, c := range []net.Conn{old, dial(t, p.Addr())} {
		if err := echo(c, "lost", 50*time.Millisecond); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatalf("got %v through a black hole, want nothing", err)
		}
	}
	Eventually(t, 5*time.Second, "both connections open", func() bool { return p.Open() == 2 })
	p.Restore(t)
	late := make([]byte, len("lost"))
	if err := old.SetDeadline(time.Now().Add(5 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(old, late); err != nil || string(late) != "lost" {
		t.Fatalf("got %q and %v after the black hole, want what was held", late, err)
	}
}

func TestProxyEndsABlackHoleByCut(t *testing.T) {
	p := StartProxy(t, startEcho(t))
	c := dial(t, p.Addr())
	p.Blackhole()
	if err := echo(c, "lost", 50*time.Millisecond); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("got %v through a black hole, want nothing", err)
	}
	p.Cut() // returns although data is held
	p.Restore(t)
	if err := echo(dial(t, p.Addr()), "again", 5*time.Second); err != nil {
		t.Fatal(err)
	}
}

// A process that is being started holds what was open for a moment.
func TestProxyWaitsForItsAddress(t *testing.T) {
	p := StartProxy(t, startEcho(t))
	p.Cut()
	l, err := net.Listen("tcp", p.Addr())
	if err != nil {
		t.Fatal(err)
	}
	released := time.AfterFunc(50*time.Millisecond, func() { closeQuietly(l) })
	defer released.Stop()
	p.Restore(t)
	if err := echo(dial(t, p.Addr()), "again", 5*time.Second); err != nil {
		t.Error(err)
	}
}

func TestProxyHalfOpen(t *testing.T) {
	p := StartProxy(t, startEcho(t))
	c := dial(t, p.Addr())
	if err := echo(c, "hello", 5*time.Second); err != nil {
		t.Fatal(err)
	}
	p.HalfOpen()
	if err := echo(c, "heard", 50*time.Millisecond); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("got %v over a half-open connection, want nothing", err)
	}
	Eventually(t, 5*time.Second, "what was sent has arrived", func() bool { return p.Sent() == int64(len("hello"+"heard")) })
	if got := p.Received(); got != int64(len("hello")) {
		t.Errorf("%d bytes came back, want those from before", got)
	}
	p.Restore(t)
	Eventually(t, 5*time.Second, "the answer arrives after all", func() bool { return p.Received() == p.Sent() })
}

func TestProxyDrop(t *testing.T) {
	p := StartProxy(t, startEcho(t))
	c, idle := dial(t, p.Addr()), dial(t, p.Addr())
	for _, c := range []net.Conn{c, idle} {
		if err := echo(c, "hello", 5*time.Second); err != nil {
			t.Fatal(err)
		}
	}
	p.Drop()
	if err := echo(c, "lost", 50*time.Millisecond); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("got %v while all is dropped, want nothing", err)
	}
	p.Restore(t)
	if err := echo(c, "again", 5*time.Second); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("got %v on a connection that lost something, want it closed", err)
	}
	if err := echo(idle, "again", 5*time.Second); err != nil {
		t.Errorf("a connection that lost nothing: %v", err)
	}
}

func TestProxyDelay(t *testing.T) {
	const late = 50 * time.Millisecond
	p := StartProxy(t, startEcho(t))
	p.Delay(late)
	began := time.Now()
	c := dial(t, p.Addr())
	if err := echo(c, "hello", 5*time.Second); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(began); took < 2*late {
		t.Errorf("there and back took %v, want at least %v", took, 2*late)
	}
}

func TestProxyReset(t *testing.T) {
	p := StartProxy(t, startEcho(t))
	c := dial(t, p.Addr())
	if err := echo(c, "hello", 5*time.Second); err != nil {
		t.Fatal(err)
	}
	if n := p.Reset(); n != 1 {
		t.Errorf("%d connections were reset, want 1", n)
	}
	if err := c.SetDeadline(time.Now().Add(5 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("got %v, want a reset", err)
	}
	if err := echo(dial(t, p.Addr()), "again", 5*time.Second); err != nil {
		t.Error(err)
	}
}

func TestProxyForget(t *testing.T) {
	p := StartProxy(t, startEcho(t))
	old := dial(t, p.Addr())
	if err := echo(old, "before", time.Second); err != nil {
		t.Fatal(err)
	}
	p.Forget()
	if err := echo(old, "lost", 100*time.Millisecond); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("over the forgotten connection: %v", err)
	}
	if err := echo(dial(t, p.Addr()), "new", time.Second); err != nil {
		t.Errorf("over a new connection: %v", err)
	}
	p.Restore(t)
	if err := echo(old, "late", time.Second); err == nil {
		t.Error("a connection that lost something is carried on")
	}
}

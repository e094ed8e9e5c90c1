// Package transporttest is what every transport promises, as tests.
package transporttest

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rollcall-go/micro/transport"
)

// patience bounds what has to happen.
const patience = 20 * time.Second

// Construct makes a transport.
type Construct func(...transport.Option) transport.Transport

// Run tests the transport that construct makes, anew for each test.
func Run(t *testing.T, construct Construct) {
	for name, test := range map[string]func(*testing.T, Construct){
		"Messages": testMessages, "ManyClients": testManyClients, "Ends": testEnds, "Close": testClose,
		"Addresses": testAddresses, "Timeout": testTimeout, "Panics": testPanics, "Nil": testNil,
	} {
		t.Run(name, func(t *testing.T) { test(t, construct) })
	}
}

// listen accepts connections with fn until the test ends. What it returns is closed when Accept
// has returned, which must be without an error.
func listen(t *testing.T, tr transport.Transport, fn func(transport.Socket)) (transport.Listener, <-chan struct{}) {
	t.Helper()
	l, err := tr.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if err := l.Accept(fn); err != nil {
			t.Errorf("Accept returned %v", err)
		}
	}()
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
		soon(t, "Accept returns", ended)
	})
	return l, ended
}

func dial(t *testing.T, tr transport.Transport, addr string) transport.Client {
	t.Helper()
	c, err := tr.Dial(addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// soon returns what comes from the channel.
func soon[T any](t *testing.T, what string, from <-chan T) (v T) {
	t.Helper()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case v = <-from:
	case <-timer.C:
		t.Fatalf("not within %v: %s", patience, what)
	}
	return v
}

// echo answers each message by itself, until the connection ends.
func echo(s transport.Socket) {
	for {
		var m transport.Message
		if s.Recv(&m) != nil {
			return
		}
		if s.Send(&m) != nil {
			return
		}
	}
}

func exchange(c transport.Client, out *transport.Message) (in transport.Message, err error) {
	if err := c.Send(out); err != nil {
		return in, err
	}
	return in, c.Recv(&in)
}

func testMessages(t *testing.T, construct Construct) {
	tr := construct()
	l, _ := listen(t, tr, echo)
	c := dial(t, tr, l.Addr())
	if c.Local() == "" || c.Remote() != l.Addr() {
		t.Errorf("a connection from %q to %q, dialed %q", c.Local(), c.Remote(), l.Addr())
	}
	for _, body := range []string{"", "x", "{}", "\x00\r\n\r\n\xff", strings.Repeat("x", 1<<20)} {
		out := &transport.Message{Header: map[string]string{"Micro-Id": "7", "X-Long": strings.Repeat("y", 4000)}, Body: []byte(body)}
		in, err := exchange(c, out)
		if err != nil || string(in.Body) != body {
			t.Fatalf("%d bytes became %d, %v", len(body), len(in.Body), err)
		}
		for k, v := range out.Header {
			if in.Header[k] != v {
				t.Errorf("header %s became %.20q", k, in.Header[k])
			}
		}
	}
	kept := &transport.Message{Header: map[string]string{"A": "1"}, Body: []byte("one")}
	if err := c.Send(kept); err != nil {
		t.Fatal(err)
	}
	kept.Header["A"], kept.Body[0] = "2", 'X'
	in := transport.Message{Header: map[string]string{"Old": "1"}}
	if err := c.Recv(&in); err != nil || in.Header["A"] != "1" || string(in.Body) != "one" || in.Header["Old"] != "" {
		t.Errorf("what was changed after Send arrives as %v, %q, %v", in.Header, in.Body, err)
	}
}

func testManyClients(t *testing.T, construct Construct) {
	tr := construct()
	l, _ := listen(t, tr, echo)
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			c, err := tr.Dial(l.Addr())
			if err != nil {
				t.Error(err)
				return
			}
			defer c.Close()
			for j := range 20 {
				body := fmt.Append(nil, i, "/", j)
				if in, err := exchange(c, &transport.Message{Body: body}); err != nil || !bytes.Equal(in.Body, body) {
					t.Errorf("%s became %q, %v", body, in.Body, err)
					return
				}
			}
		})
	}
	wg.Wait()
}

// testEnds has either end close the connection: the other one sees io.EOF.
func testEnds(t *testing.T, construct Construct) {
	tr := construct()
	seen := make(chan error, 1)
	l, _ := listen(t, tr, func(s transport.Socket) {
		var m transport.Message
		err := s.Recv(&m)
		for err == nil {
			if string(m.Body) == "leave" {
				_ = s.Close()
				return
			}
			if err = s.Send(&m); err == nil {
				err = s.Recv(&m)
			}
		}
		seen <- err
	})
	c := dial(t, tr, l.Addr())
	if _, err := exchange(c, &transport.Message{Body: []byte("x")}); err != nil {
		t.Fatal(err)
	}
	if err := c.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
	if err := soon(t, "the server sees that the client closed", seen); err != io.EOF {
		t.Errorf("the server sees %v of a client that closed", err)
	}
	if err := c.Send(&transport.Message{}); err == nil {
		t.Error("a closed connection sends")
	}
	c = dial(t, tr, l.Addr())
	if _, err := exchange(c, &transport.Message{Body: []byte("leave")}); err != io.EOF {
		t.Errorf("the client sees %v of a server that closed", err)
	}
}

// testClose closes a listener: Accept returns, and the connections end with it.
func testClose(t *testing.T, construct Construct) {
	tr := construct()
	l, ended := listen(t, tr, echo)
	c := dial(t, tr, l.Addr())
	if _, err := exchange(c, &transport.Message{Body: []byte("x")}); err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	soon(t, "Accept returns", ended)
	var m transport.Message
	if err := c.Recv(&m); err == nil {
		t.Error("a message of a listener that was closed")
	}
	if c, err := tr.Dial(l.Addr()); err == nil {
		_ = c.Close()
		t.Error("a closed listener can be dialed")
	}
	again, err := tr.Listen(l.Addr())
	if err != nil {
		t.Fatalf("the address is not free again: %v", err)
	}
	_ = again.Close()
}

func testAddresses(t *testing.T, construct Construct) {
	tr := construct()
	a, _ := listen(t, tr, echo)
	b, _ := listen(t, tr, echo)
	if a.Addr() == b.Addr() || strings.HasSuffix(a.Addr(), ":0") {
		t.Errorf("port 0 became %s and %s", a.Addr(), b.Addr())
	}
	if l, err := tr.Listen(a.Addr()); err == nil {
		_ = l.Close()
		t.Error("two listen on one address")
	}
	for _, addr := range []string{"", "nowhere", "127.0.0.1:1"} {
		if c, err := tr.Dial(addr, transport.WithTimeout(time.Second)); err == nil {
			_ = c.Close()
			t.Errorf("%q can be dialed", addr)
		} else if !strings.Contains(err.Error(), fmt.Sprintf("%q", addr)) {
			t.Errorf("%q: the error does not name it: %v", addr, err)
		}
	}
}

func testTimeout(t *testing.T, construct Construct) {
	tr := construct(transport.Timeout(50 * time.Millisecond))
	silent := make(chan error, 1)
	l, _ := listen(t, tr, func(s transport.Socket) {
		var m transport.Message
		err := s.Recv(&m)
		if err == nil {
			err = s.Recv(&m)
		}
		silent <- err
	})
	c := dial(t, tr, l.Addr())
	if err := c.Send(&transport.Message{Body: []byte("x")}); err != nil {
		t.Fatal(err)
	}
	// Whoever gives up first may end the connection by that.
	var m transport.Message
	here := c.Recv(&m)
	there := soon(t, "the server gives up", silent)
	if (!os.IsTimeout(here) && here != io.EOF) || (!os.IsTimeout(there) && there != io.EOF) || here == io.EOF && there == io.EOF {
		t.Errorf("the client waits for an answer: %v; the server for a message: %v", here, there)
	}
}

// testPanics has a connection's function panic: it harms that connection alone.
func testPanics(t *testing.T, construct Construct) {
	tr := construct()
	l, _ := listen(t, tr, func(s transport.Socket) {
		var m transport.Message
		if s.Recv(&m) == nil && string(m.Body) == "panic" {
			_ = []int{}[len(m.Body)] // panics
		}
		_ = s.Send(&m)
	})
	if _, err := exchange(dial(t, tr, l.Addr()), &transport.Message{Body: []byte("panic")}); err == nil {
		t.Error("an answer of a function that panicked")
	}
	if _, err := exchange(dial(t, tr, l.Addr()), &transport.Message{Body: []byte("x")}); err != nil {
		t.Errorf("another connection: %v", err)
	}
}

func testNil(t *testing.T, construct Construct) {
	type key struct{}
	tr := construct(transport.Addrs("a"), func(o *transport.Options) { o.Context = context.WithValue(t.Context(), key{}, 1) })
	if o := tr.Options(); len(o.Addrs) != 1 || o.Context.Value(key{}) != 1 {
		t.Errorf("options %+v", o)
	}
	l, _ := listen(t, tr, echo)
	c := dial(t, tr, l.Addr())
	if c.Send(nil) == nil || c.Recv(nil) == nil {
		t.Error("a nil message is taken")
	}
}

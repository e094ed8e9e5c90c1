package memory_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/transport"
	"github.com/rollcall-go/micro/transport/memory"
	"github.com/rollcall-go/micro/transport/transporttest"
)

func TestMain(m *testing.M) { testkit.Main(m) }

func TestTransport(t *testing.T) { transporttest.Run(t, memory.NewTransport) }

func TestOneHostByAnyName(t *testing.T) {
	tr := memory.NewTransport()
	l, err := tr.Listen(":8080")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for _, addr := range []string{"localhost:8080", "[::1]:8080", "0.0.0.0:8080", "127.0.0.1:8080"} {
		if l, err := tr.Listen(addr); err == nil {
			_ = l.Close()
			t.Errorf("%s is another address", addr)
		}
	}
	if _, err := memory.NewTransport().Dial(l.Addr()); err == nil {
		t.Error("another transport has the listener as well")
	}
}

func TestDialWaitsForSomebodyToAccept(t *testing.T) {
	tr := memory.NewTransport()
	l, err := tr.Listen(":0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if _, err := tr.Dial(l.Addr(), transport.WithTimeout(time.Millisecond)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("nobody accepts: %v", err)
	}
}

func TestTheContextEndsWhatWaits(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	tr := memory.NewTransport(func(o *transport.Options) { o.Context = ctx })
	l, err := tr.Listen(":0")
	if err != nil {
		t.Fatal(err)
	}
	accepted := make(chan error, 1)
	go func() {
		accepted <- l.Accept(func(s transport.Socket) { accepted <- s.Recv(&transport.Message{}) })
	}()
	c, err := tr.Dial(l.Addr())
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := c.Recv(&transport.Message{}); !errors.Is(err, context.Canceled) {
		t.Errorf("Recv: %v", err)
	}
	if err := <-accepted; !errors.Is(err, context.Canceled) {
		t.Errorf("the other end: %v", err)
	}
	_ = l.Close()
	if err := <-accepted; err != nil {
		t.Errorf("Accept: %v", err)
	}
}

func ExampleNewTransport() {
	tr := memory.NewTransport()
	l, _ := tr.Listen(":8080")
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = l.Accept(func(s transport.Socket) {
			var m transport.Message
			if s.Recv(&m) == nil {
				_ = s.Send(&transport.Message{Body: append([]byte("Hello, "), m.Body...)})
			}
		})
	}()
	c, _ := tr.Dial("localhost:8080")
	_ = c.Send(&transport.Message{Body: []byte("John")})
	var m transport.Message
	_ = c.Recv(&m)
	fmt.Println(string(m.Body))
	_ = c.Close()
	_ = l.Close()
	<-ended
	// Output: Hello, John
}

package conn

import (
	"context"
	"errors"
	"net"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc"
)

func TestTriesAgainAtLeastEverySecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var attempts atomic.Int64
		refuse := func(context.Context, string) (net.Conn, error) {
			attempts.Add(1)
			return nil, errors.New("connection refused")
		}
		s := New(Options{DialOptions: []grpc.DialOption{grpc.WithContextDialer(refuse)}})
		defer s.Close()
		c, err := s.Node(at("10.0.0.1:1"))
		if err != nil {
			t.Fatal(err)
		}
		c.Connect()
		time.Sleep(time.Minute) // however long the node has been away
		before := attempts.Load()
		time.Sleep(10 * time.Second)
		if n := attempts.Load() - before; n < 8 {
			t.Fatalf("%d attempts in ten seconds", n)
		}
	})
}

package grpc

import (
	"testing"
	"time"

	"github.com/rollcall-go/micro/client"
	"github.com/rollcall-go/micro/transport"
)

func TestDialTimeout(t *testing.T) {
	bound := func(opts ...client.Option) time.Duration {
		return newClient(t, opts...).(*grpcClient).current.Load().backends.dialTimeout
	}
	if d := bound(); d != 0 {
		t.Errorf("%s although nobody asked", d)
	}
	if d := bound(client.DialTimeout(7 * time.Second)); d != 7*time.Second {
		t.Errorf("the option gives %s", d)
	}
	old := transport.DefaultDialTimeout
	defer func() { transport.DefaultDialTimeout = old }()
	transport.DefaultDialTimeout = 9 * time.Second
	if d := bound(); d != 9*time.Second {
		t.Errorf("the default of the program gives %s", d)
	}
}

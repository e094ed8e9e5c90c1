package wrapping

import (
	"errors"
	"io"
	"testing"

	"github.com/rollcall-go/micro/client"
	"github.com/rollcall-go/micro/internal/testkit/stub"
)

type closing struct {
	stub.Client
	err error
}

func (c *closing) Close() error { return c.err }

func TestAWrappedClientCanBeClosed(t *testing.T) {
	want := errors.New("closed")
	outer := WithOptions()(WithOptions()(&closing{err: want}))
	if err := outer.(io.Closer).Close(); err != want {
		t.Errorf("got %v", err)
	}
	if err := WithOptions()(&stub.Client{}).(io.Closer).Close(); err != nil {
		t.Errorf("one that cannot be closed: %v", err)
	}
}

func TestACallWithoutOptionsOfItsOwnAllocatesNothing(t *testing.T) {
	c := WithOptions(client.WithRetries(1))(&stub.Client{})
	req, ctx := client.Request(&stub.Request{}), t.Context()
	if n := testing.AllocsPerRun(100, func() { _ = c.Call(ctx, req, nil) }); n > 0 {
		t.Errorf("it allocates %v times", n)
	}
}

package grpc

import (
	"context"
	stderrors "errors"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/structpb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/rollcall-go/micro/client"
)

// An error within an error is told by its detail, not as JSON within JSON.
func TestInnerErrorsAreToldByTheirDetail(t *testing.T) {
	a := serve(t, echo)
	a.server.Stop()
	c := newClient(t, client.Registry(register(t, service("echo", a))))
	_, err := say(t.Context(), c, "x")
	if e := fault(t, err); !strings.Contains(e.Detail, "none of 1 nodes can be reached: connect to") || strings.ContainsAny(e.Detail, "{}\\") {
		t.Errorf("got %q", e.Detail)
	}
}

func TestFailedDecodeNamesEndpointAndContentType(t *testing.T) {
	n := serve(t, func(context.Context, string, func(any) error) (any, error) {
		return structpb.NewStringValue("x"), nil
	})
	c := newClient(t, client.Registry(register(t, service("echo", n))))
	var rsp []byte
	req := c.NewRequest("echo", "Echo.Say", wrapperspb.String("x"))
	err := c.Call(t.Context(), req, &rsp)
	e := fault(t, err)
	for _, want := range []string{`"echo" "Echo.Say"`, `"application/grpc+proto"`, "[]uint8"} {
		if e.Code != 500 || !strings.Contains(e.Detail, want) {
			t.Errorf("%v does not say %q", e, want)
		}
	}
}

func TestTimeoutSaysThatStreamsWereTaken(t *testing.T) {
	arrived, leave := make(chan struct{}), make(chan struct{})
	n := serve(t, func(ctx context.Context, path string, decode func(any) error) (any, error) {
		arrived <- struct{}{}
		<-leave
		return echo(ctx, path, decode)
	}, grpc.MaxConcurrentStreams(1))
	c := newClient(t, client.Registry(register(t, service("echo", n))), client.PoolSize(1))
	var wg sync.WaitGroup
	wg.Go(func() {
		if _, err := say(t.Context(), c, "x"); err != nil {
			t.Error(err)
		}
	})
	<-arrived
	_, err := say(t.Context(), c, "x", client.WithRequestTimeout(100*time.Millisecond))
	if e := fault(t, err); e.Code != 408 || !strings.HasPrefix(e.Detail, "context deadline exceeded: ") || !strings.Contains(e.Detail, "takes 1 calls on a connection") {
		t.Errorf("got %v", e)
	}
	close(leave)
	wg.Wait()
}

func TestErrClosed(t *testing.T) {
	c := NewClient(client.Registry(register(t)))
	if err := c.(io.Closer).Close(); err != nil {
		t.Fatal(err)
	}
	_, err := say(t.Context(), c, "x")
	if !stderrors.Is(err, client.ErrClosed) || !stderrors.Is(c.Init(), client.ErrClosed) {
		t.Errorf("got %v and %v", err, c.Init())
	}
}

func TestTooLargeNamesTheOption(t *testing.T) {
	n := serve(t, echo)
	r := client.Registry(register(t, service("echo", n)))
	_, err := say(t.Context(), newClient(t, r, MaxRecvMsgSize(10)), strings.Repeat("x", 100))
	if e := fault(t, err); !strings.Contains(e.Detail, "MaxRecvMsgSize") {
		t.Errorf("got %v", e)
	}
	_, err = say(t.Context(), newClient(t, r, MaxSendMsgSize(10)), strings.Repeat("x", 100))
	if e := fault(t, err); !strings.Contains(e.Detail, "MaxSendMsgSize") {
		t.Errorf("got %v", e)
	}
}

// How much of the metadata of an answer counts, on the way back.
func TestHeadersOfAnswersAreBounded(t *testing.T) {
	n := serve(t, func(ctx context.Context, path string, decode func(any) error) (any, error) {
		_ = grpc.SetTrailer(ctx, map[string][]string{"x": {strings.Repeat("x", 300<<10)}})
		return echo(ctx, path, decode)
	})
	r := client.Registry(register(t, service("echo", n)))
	if _, err := say(t.Context(), newClient(t, r), "x"); err == nil {
		t.Error("300 KiB of headers were taken")
	}
	if _, err := say(t.Context(), newClient(t, r, MaxHeaderListSize(1<<20)), "x"); err != nil {
		t.Errorf("with the option: %v", err)
	}
}

func TestGzip(t *testing.T) {
	n := serve(t, echo)
	c := newClient(t, client.Registry(register(t, service("echo", n))))
	mustSay(t, c, strings.Repeat("x", 10000), Gzip())
	all := newClient(t, client.Registry(register(t, service("echo", n))), func(o *client.Options) { Gzip()(&o.CallOptions) })
	mustSay(t, all, strings.Repeat("x", 10000))
}

// A compressor that is not known: the error says what is.
func TestAnUnknownCompressor(t *testing.T) {
	n := serve(t, echo)
	c := newClient(t, client.Registry(register(t, service("echo", n))))
	_, err := say(t.Context(), c, "x", CallOptions(grpc.UseCompressor("zstd")), client.WithIdempotent(true))
	if e := fault(t, err); e.Code != 501 || !strings.Contains(e.Detail, `"zstd"`) || !strings.Contains(e.Detail, `known are "gzip"`) {
		t.Errorf("in the client: %v", err)
	}
	lone := serve(t, func(context.Context, string, func(any) error) (any, error) {
		return nil, status.Error(codes.Unimplemented, `grpc: Decompressor is not installed for grpc-encoding "zstd"`) // by a server without it
	})
	c = newClient(t, client.Registry(register(t, service("echo", lone))))
	_, err = say(t.Context(), c, "x")
	if e := fault(t, err); e.Code != 501 || !strings.Contains(e.Detail, `"zstd"`) || !strings.Contains(e.Detail, `servers know "gzip"`) {
		t.Errorf("in the server: %v", err)
	}
}

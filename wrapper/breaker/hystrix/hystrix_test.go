package hystrix_test

import (
	"context"
	stderrors "errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rollcall-go/micro/client"
	"github.com/rollcall-go/micro/errors"
	"github.com/rollcall-go/micro/internal/testkit/stub"
	"github.com/rollcall-go/micro/wrapper/breaker/hystrix"
)

// service wraps a client whose calls do what f says.
func service(f func(ctx context.Context) error) client.Client {
	return hystrix.NewClientWrapper()(&stub.Client{OnCall: func(ctx context.Context, _ client.Request, _ client.CallOptions) error { return f(ctx) }})
}

func call(ctx context.Context, c client.Client, endpoint string) error {
	return c.Call(ctx, &stub.Request{Name: "greeter", Path: endpoint}, nil)
}

func is(t *testing.T, err error, kind error, code int32, detail string) {
	t.Helper()
	if e := errors.FromError(err); !stderrors.Is(err, kind) || e.GetCode() != code || !strings.HasPrefix(e.GetDetail(), detail) {
		t.Errorf("got %v, want code %d and %q", err, code, detail)
	}
}

func TestACircuitOpensByTheShareOfFailures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hystrix.ConfigureCommand("greeter.Share", hystrix.CommandConfig{RequestVolumeThreshold: 10, ErrorPercentThreshold: 40, SleepWindow: 3000})
		var answer error
		c := service(func(context.Context) error { return answer })
		make := func(n int, err error) {
			answer = err
			for range n {
				_ = call(t.Context(), c, "Share")
			}
		}
		down, no := errors.New("x", "down", 503), errors.NotFound("x", "no")
		make(9, down)
		time.Sleep(12 * time.Second) // out of the window
		make(30, no)
		make(18, down)
		if err := call(t.Context(), c, "Share"); errors.FromError(err).Code != 503 {
			t.Fatalf("19 failures of 49: %v", err)
		}
		time.Sleep(12 * time.Second)
		make(6, nil)
		make(4, down)
		is(t, call(t.Context(), c, "Share"), hystrix.ErrCircuitOpen, 502, `hystrix: circuit open: "greeter.Share" failed and is not called for another 3s`)
		time.Sleep(3*time.Second + time.Millisecond)
		make(1, nil)
		if err := call(t.Context(), c, "Share"); err != nil {
			t.Errorf("after a probe that succeeded: %v", err)
		}
	})
}

func TestACallMayTakeSoLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hystrix.Configure(map[string]hystrix.CommandConfig{"greeter.Slow": {Timeout: 200, RequestVolumeThreshold: 3}})
		c := service(func(ctx context.Context) error {
			<-ctx.Done()
			return errors.Wrap("go.micro.client", ctx.Err().Error(), 408, ctx.Err())
		})
		begun := time.Now()
		is(t, call(t.Context(), c, "Slow"), hystrix.ErrTimeout, 408, `hystrix: timeout: "greeter.Slow" gave no answer within 200ms`)
		if took := time.Since(begun); took != 200*time.Millisecond {
			t.Errorf("it took %v", took)
		}
		sooner, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		if err := call(sooner, c, "Slow"); stderrors.Is(err, hystrix.ErrTimeout) || !stderrors.Is(err, context.DeadlineExceeded) {
			t.Errorf("the caller's own deadline: %v", err)
		}
		gone, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Millisecond, cancel)
		for range 5 { // counts as nothing
			_ = call(gone, c, "Slow")
		}
		is(t, call(t.Context(), c, "Slow"), hystrix.ErrTimeout, 408, "")
		is(t, call(t.Context(), c, "Slow"), hystrix.ErrCircuitOpen, 502, "")
	})
}

func TestSoManyCallsMayBeUnderWay(t *testing.T) {
	hystrix.ConfigureCommand("greeter.Busy", hystrix.CommandConfig{MaxConcurrentRequests: 2, Timeout: int(time.Minute / time.Millisecond)})
	entered, leave := make(chan struct{}), make(chan struct{})
	c := service(func(context.Context) error {
		entered <- struct{}{}
		<-leave
		return nil
	})
	results := make(chan error)
	for range 2 {
		go func() { results <- call(t.Context(), c, "Busy") }()
		<-entered
	}
	is(t, call(t.Context(), c, "Busy"), hystrix.ErrMaxConcurrency, 429, `hystrix: max concurrency: 2 calls of "greeter.Busy" are under way`)
	close(leave)
	for range 2 {
		if err := <-results; err != nil {
			t.Error(err)
		}
	}
	go func() { <-entered }()
	if err := call(t.Context(), c, "Busy"); err != nil {
		t.Errorf("after they ended: %v", err)
	}
}

func TestDefaults(t *testing.T) {
	n := 0
	c := service(func(ctx context.Context) error {
		n++
		if d, ok := ctx.Deadline(); !ok || time.Until(d) > time.Second {
			t.Errorf("deadline in %v", time.Until(d))
		}
		return errors.New("x", "down", 503)
	})
	for range hystrix.DefaultVolumeThreshold * 3 {
		_ = call(t.Context(), c, "Default")
	}
	if n != hystrix.DefaultVolumeThreshold {
		t.Errorf("%d calls were made", n)
	}
}

func ExampleNewClientWrapper() {
	hystrix.ConfigureCommand("greeter.Greeter.Hello", hystrix.CommandConfig{Timeout: 2000, MaxConcurrentRequests: 50, RequestVolumeThreshold: 1})
	// micro.NewService(micro.WrapClient(hystrix.NewClientWrapper())) does the same for a service.
	c := hystrix.NewClientWrapper()(&stub.Client{OnCall: func(context.Context, client.Request, client.CallOptions) error {
		return errors.New("go.micro.client", "connection refused", 503)
	}})
	req := &stub.Request{Name: "greeter", Path: "Greeter.Hello"}
	for range 2 {
		err := c.Call(context.Background(), req, nil)
		fmt.Println(errors.FromError(err).Code, stderrors.Is(err, hystrix.ErrCircuitOpen))
	}
	// Output:
	// 503 false
	// 502 true
}

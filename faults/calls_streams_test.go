package faults

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rollcall-go/micro/client"
	"github.com/rollcall-go/micro/codec/bytes"
	microerrors "github.com/rollcall-go/micro/errors"
	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/internal/testkit/fleet"
	"github.com/rollcall-go/micro/internal/testkit/micropb/kinds"
	"github.com/rollcall-go/micro/metadata"
	"github.com/rollcall-go/micro/registry/memory"
)

const (
	// openOfEach is how many streams of each of the four kinds are open in these rows.
	openOfEach = 5
	// toldOfDeath bounds the end of a stream whose node died or whose connection broke.
	toldOfDeath = 5 * time.Second
	// toldOfSilence bounds the end of a stream without a deadline to a node of ours that
	// fell silent for good: six looks, 5 s apart, and what a busy machine adds.
	toldOfSilence = 45 * time.Second
	// afterDeadline bounds what a stream lasts longer than its own timeout.
	afterDeadline = 5 * time.Second
)

// openStream is a stream with somebody who receives from it.
type openStream struct {
	kind  string
	ended chan error
}

// openStreams opens streams of every kind, and returns when each has had an answer, as
// far as its kind has one before the end. They last until something ends them.
func openStreams(t *testing.T, c client.Client, opts ...client.CallOption) (all []openStream) {
	t.Helper()
	ctx := metadata.NewContext(t.Context(), metadata.Metadata{fleet.PauseHeader: "100ms"})
	talk := kinds.NewTalkService(fleet.ProcessName, c)
	must := func(kind string, err error) {
		t.Helper()
		if err != nil {
			t.Fatalf("open a stream %s: %v", kind, err)
		}
	}
	receive := func(kind string, recv func() error) {
		s := openStream{kind, make(chan error, 1)}
		all = append(all, s)
		go func() {
			for {
				if err := recv(); err != nil {
					s.ended <- err
					return
				}
			}
		}()
	}
	in := &kinds.Words{Text: fleet.Seal(100), Number: 1 << 40}
	for range openOfEach {
		count, err := talk.Count(ctx, in, opts...)
		must("from the server", err)
		_, err = count.Recv()
		must("from the server", err)
		receive("from the server", func() error { _, err := count.Recv(); return err })

		sum, err := talk.Sum(ctx, opts...)
		must("to the server", err)
		must("to the server", sum.Send(in))
		receive("to the server", func() error { return sum.RecvMsg(&kinds.Words{}) })

		chat, err := talk.Chat(ctx, opts...)
		must("both ways", err)
		must("both ways", chat.Send(in))
		_, err = chat.Recv()
		must("both ways", err)
		receive("both ways", func() error { _, err := chat.Recv(); return err })

		raw, err := c.Stream(ctx, c.NewRequest(fleet.ProcessName, "Raw.Talk", nil, client.WithContentType("application/grpc+bytes")), opts...)
		must("of bytes", err)
		f := bytes.Frame{Data: []byte(in.Text)}
		must("of bytes", raw.Send(&f))
		must("of bytes", raw.Recv(&f))
		receive("of bytes", func() error { return raw.Recv(&f) })
	}
	return all
}

// allEnd waits for the end of each stream, which must have the code, and returns how
// long the last one took.
func allEnd(t *testing.T, all []openStream, begin time.Time, code int32) time.Duration {
	t.Helper()
	for _, s := range all {
		select {
		case err := <-s.ended:
			var e *microerrors.Error
			if !errors.As(err, &e) || e.Code != code {
				t.Errorf("a stream %s ended with %v, want code %d", s.kind, err, code)
			}
		case <-time.After(toldOfSilence + patience):
			t.Fatalf("a stream %s goes on", s.kind)
		}
	}
	return time.Since(begin)
}

// streamNode starts a node as a process of its own and waits until it is registered.
func streamNode(t *testing.T, etcd string) *testkit.Process {
	t.Helper()
	p := fleet.Process(t, "--registry=etcd", "--registry_address="+etcd)
	p.Says(t, "Registering node: ")
	return p
}

// openElsewhere opens streams while a node is out of order: not more of them than
// missed may fail.
func openElsewhere(t *testing.T, c client.Client, missed int) {
	t.Helper()
	failed := 0
	for i := range 20 {
		if err := chatOnce(t.Context(), c, client.WithRequestTimeout(3*time.Second), client.WithStreamTimeout(3*time.Second)); err != nil {
			failed++
			t.Logf("stream %d opened meanwhile: %v", i, err)
		}
	}
	atMost(t, "failed streams of 20 opened meanwhile", failed, missed)
}

// chatOnce opens a stream for one message there and back.
func chatOnce(ctx context.Context, c client.Client, opts ...client.CallOption) error {
	chat, err := kinds.NewTalkService(fleet.ProcessName, c).Chat(ctx, opts...)
	if err != nil {
		return err
	}
	defer chat.Close()
	in := &kinds.Words{Text: fleet.Seal(100)}
	if err := chat.Send(in); err != nil {
		return err
	}
	out, err := chat.Recv()
	if err == nil && out.Text != in.Text {
		return fmt.Errorf("sent %q, got %q", in.Text, out.Text)
	}
	return err
}

// Row D18: a node is killed with kill -9 under open streams of every kind. Each ends
// at once with the reason, and streams opened from then on go elsewhere.
func TestD18KillNineUnderStreams(t *testing.T) {
	t.Parallel()
	e := testkit.StartEtcd(t)
	doomed := streamNode(t, e.Addr())
	c := fleet.Client(t, fleet.Registry(t, e.Addr()))
	all := openStreams(t, c)
	other := streamNode(t, e.Addr())
	r := fleet.Registry(t, e.Addr())
	testkit.Eventually(t, patience, "two nodes are listed", func() bool { return fleet.Listed(r, fleet.ProcessName, 2) })
	doomed.Kill()
	within(t, fmt.Sprintf("the end of all %d streams", len(all)), allEnd(t, all, time.Now(), 503), toldOfDeath)
	openElsewhere(t, c, 1)
	idle(t, c, other)
}

// idle waits until a node has no handler that has not returned.
func idle(t *testing.T, c client.Client, p *testkit.Process) {
	t.Helper()
	address := p.Says(t, `Listening on (\S+)`)
	testkit.Passes(t, patience, "no handler is left", func() error {
		v, err := fleet.VitalsOf(t.Context(), c, address)
		if err == nil && v.Handlers > 0 {
			err = fmt.Errorf("%+v", v)
		}
		return err
	})
}

// Row D19: a node freezes under open streams of every kind. What is sent to it
// meanwhile is answered when it goes on, if that is soon. Otherwise a stream lasts as
// long as its own timeout allows, one without a timeout until the silence is noticed,
// and streams opened meanwhile go elsewhere.
func TestD19FrozenUnderStreams(t *testing.T) {
	t.Parallel()
	e := testkit.StartEtcd(t)
	frozen := streamNode(t, e.Addr())
	c := fleet.Client(t, fleet.Registry(t, e.Addr()))

	chat, err := kinds.NewTalkService(fleet.ProcessName, c).Chat(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer chat.Close()
	frozen.Freeze(t)
	for i := range int64(10) {
		if err := chat.Send(&kinds.Words{Text: fleet.Seal(100), Number: i}); err != nil {
			t.Fatal(err)
		}
	}
	testkit.Elapse(t, 2*time.Second)
	frozen.Thaw(t)
	for i := range int64(10) {
		if out, err := chat.Recv(); err != nil || out.Number != i {
			t.Fatalf("after a freeze of 2 s: message %d is %v, %v", i, out, err)
		}
	}

	const timeout = 4 * time.Second
	bounded := openStreams(t, c, client.WithStreamTimeout(timeout))
	begin := time.Now() // of the last one's time
	var unbounded []openStream
	if inFull() {
		unbounded = openStreams(t, c)
	}
	streamNode(t, e.Addr())
	r := fleet.Registry(t, e.Addr())
	testkit.Eventually(t, patience, "two nodes are listed", func() bool { return fleet.Listed(r, fleet.ProcessName, 2) })
	frozen.Freeze(t)
	froze := time.Now()
	within(t, fmt.Sprintf("the end of %d streams with a timeout of their own of %v", len(bounded), timeout), allEnd(t, bounded, begin, 408), timeout+afterDeadline)
	openElsewhere(t, c, 3) // one that it is sent, one more, and one for a busy machine
	if inFull() {
		within(t, fmt.Sprintf("the end of %d streams without a deadline", len(unbounded)), allEnd(t, unbounded, froze, 503), toldOfSilence)
	}
}

// Row D20: the connection to a node breaks under open streams of every kind, or
// whatever is sent on it is acknowledged and gone. The streams end, on the server too.
func TestD20CutOffUnderStreams(t *testing.T) {
	t.Parallel()
	e := testkit.StartEtcd(t)
	node := streamNode(t, e.Addr())
	apart := fleet.Client(t, fleet.Registry(t, e.Addr()))
	// The caller knows the node by the address of the proxy.
	p := testkit.StartProxy(t, node.Says(t, `Listening on (\S+)`))
	services, err := fleet.Registry(t, e.Addr()).GetService(fleet.ProcessName)
	if err != nil {
		t.Fatal(err)
	}
	services[0].Nodes[0].Address = p.Addr()
	known := memory.NewRegistry()
	register(t, known, services[0], time.Hour)
	c := fleet.Client(t, known)
	back := func() {
		testkit.Passes(t, patience, "a stream succeeds", func() error { return chatOnce(t.Context(), c, client.WithStreamTimeout(3*time.Second)) })
	}

	all := openStreams(t, c)
	begin := time.Now()
	p.Reset()
	within(t, "the end of all streams of a connection that is reset", allEnd(t, all, begin, 503), toldOfDeath)
	idle(t, apart, node)
	back()

	all = openStreams(t, c)
	begin = time.Now()
	p.Cut()
	within(t, "the end of all streams of a connection that is closed", allEnd(t, all, begin, 503), toldOfDeath)
	idle(t, apart, node)
	p.Restore(t)
	back()

	const timeout = 3 * time.Second
	all = openStreams(t, c, client.WithStreamTimeout(timeout))
	begin = time.Now() // of the last one's time
	p.Blackhole()
	within(t, "the end of all streams with a timeout of their own", allEnd(t, all, begin, 408), timeout+afterDeadline)
	idle(t, apart, node)
	p.Restore(t)
	back()
	if inFull() {
		all = openStreams(t, c)
		p.Blackhole()
		begin = time.Now()
		within(t, "the end of all streams without a deadline", allEnd(t, all, begin, 503), toldOfSilence)
	}
}

// Row D3, over processes: a node is asked to stop under streams. One that ends within
// its grace is not disturbed, one that is longer is told, and streams opened meanwhile
// go elsewhere.
func TestD3StopUnderStreams(t *testing.T) {
	t.Parallel()
	grace, lasts := times(6*time.Second, 25*time.Second), times(3*time.Second, 20*time.Second)
	e := testkit.StartEtcd(t)
	flags := []string{"--registry=etcd", "--registry_address=" + e.Addr()}
	stopping := fleet.Patient(t, grace, flags...)
	stopping.Says(t, "Registering node: ")
	c := fleet.Client(t, fleet.Registry(t, e.Addr()))

	const messages = 10
	ctx := metadata.NewContext(t.Context(), metadata.Metadata{fleet.PauseHeader: (lasts / messages).String()})
	short, err := kinds.NewTalkService(fleet.ProcessName, c).Count(ctx, &kinds.Words{Text: fleet.Seal(100), Number: messages})
	if err != nil {
		t.Fatal(err)
	}
	defer short.Close()
	if _, err := short.Recv(); err != nil {
		t.Fatal(err)
	}
	long := openStreams(t, c)
	streamNode(t, e.Addr())
	r := fleet.Registry(t, e.Addr())
	testkit.Eventually(t, patience, "two nodes are listed", func() bool { return fleet.Listed(r, fleet.ProcessName, 2) })
	begin := time.Now()
	stopping.Signal(t, syscall.SIGTERM)
	openElsewhere(t, c, 0)
	for i := int64(1); ; i++ {
		out, err := short.Recv()
		if err == io.EOF && i == messages {
			break
		}
		if err != nil || out.Number != i {
			t.Fatalf("a stream of %v that is within the grace of %v: message %d is %v, %v", lasts, grace, i, out, err)
		}
	}
	t.Logf("measured: a stream that lasts %v ended well %v after the stop began", lasts, time.Since(begin).Round(time.Millisecond))
	for _, s := range long {
		if err := <-s.ended; microerrors.FromError(err).GetCode() != 503 || !strings.Contains(err.Error(), "the server is stopping") {
			t.Errorf("a longer stream %s: %v, want to be told that the server is stopping", s.kind, err)
		}
	}
	within(t, fmt.Sprintf("longer streams are told, with a grace of %v,", grace), time.Since(begin), grace+3*time.Second)
	stopping.Wait(t, patience)
}

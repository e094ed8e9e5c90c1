package faults

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"syscall"
	"testing"

	"github.com/rollcall-go/micro"
	"github.com/rollcall-go/micro/broker"
	"github.com/rollcall-go/micro/broker/http"
	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/internal/testkit/currentpb"
	"github.com/rollcall-go/micro/internal/testkit/fleet"
	"github.com/rollcall-go/micro/registry"
	"github.com/rollcall-go/micro/registry/etcd"
	"github.com/rollcall-go/micro/server"
)

// subscriberVariable makes a test binary a service with a subscriber: its value is the
// address of its etcd.
const subscriberVariable = "ROLLCALL_FAULTS_SUBSCRIBER"

// underWay is how many messages of a queue are under way at once.
const underWay = 8

// runSubscriber is a process that writes each message it handles, until it is told to stop.
func runSubscriber(addr string) error {
	r := etcd.NewRegistry(registry.Addrs(addr))
	s := micro.NewService(
		micro.Name("subscriber"), micro.Address("127.0.0.1:0"), micro.Registry(r),
		micro.Broker(http.NewBroker(broker.Registry(r), broker.Addrs("127.0.0.1:0"))),
	)
	err := micro.RegisterSubscriber("flow", s.Server(), func(_ context.Context, in *currentpb.SayRequest) error {
		_, err := fmt.Printf("handled %s.\n", in.Text)
		return err
	}, server.SubscriberQueue("workers"))
	if err != nil {
		return err
	}
	return s.Run()
}

var handledLine = regexp.MustCompile(`handled (\S+)\.\n`)

// flow is a publisher and two processes that share a queue.
type flow struct {
	*testing.T
	etcd    *testkit.Etcd
	event   micro.Event
	members [2]*testkit.Process
	n       int
	taken   []string // by the broker
}

func startFlow(t *testing.T) *flow {
	t.Helper()
	f := &flow{T: t, etcd: testkit.StartEtcd(t)}
	for i := range f.members {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), subscriberVariable+"="+f.etcd.Addr())
		f.members[i] = testkit.StartProcess(t, cmd)
	}
	r := fleet.Registry(t, f.etcd.Addr())
	b := http.NewBroker(broker.Registry(r))
	t.Cleanup(func() {
		if err := b.Disconnect(); err != nil {
			t.Errorf("disconnect: %v", err)
		}
	})
	f.event = micro.NewEvent("flow", fleet.Client(t, r, micro.Broker(b)))
	testkit.Eventually(t, patience, "both handle messages", func() bool {
		f.publish(1)
		return f.members[0].Lines("handled") > 0 && f.members[1].Lines("handled") > 0
	})
	f.taken = nil // some of it before anybody had subscribed
	return f
}

// publish publishes n messages.
func (f *flow) publish(n int) {
	f.Helper()
	for range n {
		f.n++
		body := fmt.Sprint(f.n)
		ctx, cancel := context.WithTimeout(f.Context(), patience)
		err := f.event.Publish(ctx, &currentpb.SayRequest{Text: body})
		cancel()
		if err != nil {
			f.Errorf("publish %s: %v", body, err)
			continue
		}
		f.taken = append(f.taken, body)
	}
}

// missing returns how many messages that were taken are not handled. It is an error if one
// was handled twice.
func (f *flow) missing() int {
	f.Helper()
	times := map[string]int{}
	for _, p := range f.members {
		for _, m := range handledLine.FindAllStringSubmatch(p.Output(), -1) {
			if times[m[1]]++; times[m[1]] > 1 {
				f.Errorf("message %s was handled twice", m[1])
			}
		}
	}
	n := 0
	for _, body := range f.taken {
		if times[body] == 0 {
			n++
		}
	}
	return n
}

// settle waits until no more than so many messages are missing.
func (f *flow) settle(missing int) {
	f.Helper()
	testkit.Eventually(f, patience, fmt.Sprintf("all messages but %d are handled", missing), func() bool { return f.missing() <= missing })
	f.Logf("of %d messages %d are missing", len(f.taken), f.missing())
}

// TestM23EventsWhileEtcdIsAway: while etcd is dead or frozen, and once it is back, each
// message is handled once.
func TestM23EventsWhileEtcdIsAway(t *testing.T) {
	t.Parallel()
	f := startFlow(t)
	for _, fault := range []struct{ begin, end func() }{
		{f.etcd.Kill, func() { f.etcd.Restart(t) }},
		{func() { f.etcd.Freeze(t) }, func() { f.etcd.Thaw(t) }},
	} {
		f.publish(100)
		fault.begin()
		f.publish(100)
		f.settle(0) // without etcd
		fault.end()
		f.publish(100)
		f.settle(0)
	}
}

// TestM24SubscriberKilled: kill -9 of one of two members costs what it had taken and what
// was under way to it. All else goes to the other one, once.
func TestM24SubscriberKilled(t *testing.T) {
	t.Parallel()
	f := startFlow(t)
	f.publish(100)
	f.settle(0)
	f.members[0].Kill()
	f.publish(300)
	f.settle(underWay)
	f.publish(100) // what was under way has ended
	f.settle(underWay)
}

// TestM25SubscriberStopsUnderFlow: a member that is asked to stop handles what it has taken,
// and what it does not take goes to the other one: nothing is lost.
func TestM25SubscriberStopsUnderFlow(t *testing.T) {
	t.Parallel()
	f := startFlow(t)
	f.publish(200)
	f.members[0].Signal(t, syscall.SIGTERM)
	f.publish(400)
	if code := f.members[0].Wait(t, patience); code != 0 {
		t.Errorf("it ended with %d", code)
	}
	f.publish(100)
	f.settle(0)
}

package micro

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rollcall-go/micro/broker"
	brokermemory "github.com/rollcall-go/micro/broker/memory"
	"github.com/rollcall-go/micro/client"
	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/internal/testkit/currentpb"
	"github.com/rollcall-go/micro/metadata"
	"github.com/rollcall-go/micro/server"
)

// Mail is the subscriber of the tests: each of its methods gets each message.
type Mail struct {
	mu  sync.Mutex
	got []string
}

func (m *Mail) Welcome(ctx context.Context, in *currentpb.SayRequest) error {
	return m.note(ctx, "welcome", in)
}
func (m *Mail) Invoice(ctx context.Context, in *currentpb.SayRequest) error {
	return m.note(ctx, "invoice", in)
}

func (m *Mail) note(ctx context.Context, method string, in *currentpb.SayRequest) error {
	from, _ := metadata.Get(ctx, "Micro-From-Service")
	user, _ := metadata.Get(ctx, "User")
	m.mu.Lock()
	defer m.mu.Unlock()
	m.got = append(m.got, strings.Join([]string{method, in.Text, from, user}, " "))
	return nil
}

func (m *Mail) all() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	got := slices.Clone(m.got)
	slices.Sort(got)
	return got
}

// A program as v2's template makes them: a struct and a function in one main, and a
// publisher elsewhere.
func TestEventsReachSubscribers(t *testing.T) {
	b, r, m := brokermemory.NewBroker(), newMemory(t), &Mail{}
	s := newNode(t, "mail", r, nil, Broker(b))
	if err := RegisterSubscriber("user.created", s.Server(), m); err != nil {
		t.Fatal(err)
	}
	heard := make(chan string, 1)
	if err := RegisterSubscriber("user.created", s.Server(), func(_ context.Context, in *currentpb.SayRequest) error {
		heard <- in.Text
		return nil
	}, server.SubscriberQueue("shared")); err != nil {
		t.Fatal(err)
	}
	stop := run(t, s)

	shop := newNode(t, "shop", r, nil, Broker(b))
	ctx := metadata.NewContext(t.Context(), metadata.Metadata{"User": "u1"})
	if err := NewEvent("user.created", shop.Client()).Publish(ctx, &currentpb.SayRequest{Text: "ann"}); err != nil {
		t.Fatal(err)
	}
	if got := <-heard; got != "ann" {
		t.Errorf("the function got %q", got)
	}
	want := []string{"invoice ann shop u1", "welcome ann shop u1"}
	testkit.Eventually(t, 10*time.Second, "the struct has the message", func() bool { return slices.Equal(m.all(), want) })

	services, err := r.GetService("mail")
	if err != nil {
		t.Fatal(err)
	}
	var endpoints []string
	for _, e := range services[0].Endpoints {
		endpoints = append(endpoints, e.Name+" "+e.Metadata["topic"])
	}
	if !slices.Equal(endpoints, []string{"Mail.Invoice user.created", "Mail.Welcome user.created", "Func user.created"}) {
		t.Errorf("the record has %q", endpoints)
	}
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	if err := b.Publish("user.created", &broker.Message{}); !errors.Is(err, broker.ErrNotConnected) {
		t.Errorf("the broker is still connected after the stop: %v", err)
	}
}

func TestAFunctionEndsAfterItsFirstMessage(t *testing.T) {
	b, r := brokermemory.NewBroker(), newMemory(t)
	f := NewFunction(Name("once"), Registry(r), Broker(b), Address("127.0.0.1:0"), HandleSignal(false))
	got := make(chan string, 1)
	if err := f.Subscribe("user.created", func(_ context.Context, in *currentpb.SayRequest) error {
		got <- in.Text
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- f.Run() }()
	testkit.Eventually(t, 10*time.Second, "the function is registered", func() bool {
		all, err := r.GetService("once")
		return err == nil && len(all) > 0
	})
	if err := NewPublisher("user.created", f.Client()).Publish(t.Context(), &currentpb.SayRequest{Text: "ann"}); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil || <-got != "ann" {
		t.Errorf("Run: %v", err)
	}
}

func TestClientWrappersSeePublications(t *testing.T) {
	b := brokermemory.NewBroker()
	var topics []string
	s := newNode(t, "shop", newMemory(t), nil, Broker(b), WrapClient(func(c client.Client) client.Client {
		return publishing{c, &topics}
	}))
	t.Cleanup(func() {
		if err := b.Disconnect(); err != nil {
			t.Error(err)
		}
	})
	if err := NewEvent("my.topic", s.Client()).Publish(t.Context(), &currentpb.SayRequest{}); err != nil || !slices.Equal(topics, []string{"my.topic shop"}) {
		t.Errorf("it saw %q, %v", topics, err)
	}
}

// publishing is a wrapper that notes what is published.
type publishing struct {
	client.Client
	topics *[]string
}

func (p publishing) Publish(ctx context.Context, msg client.Message, opts ...client.PublishOption) error {
	from, _ := metadata.Get(ctx, "Micro-From-Service")
	*p.topics = append(*p.topics, msg.Topic()+" "+from)
	return p.Client.Publish(ctx, msg, opts...)
}

func TestASubscriberWithoutABrokerFailsRun(t *testing.T) {
	s := newNode(t, "a", newMemory(t), nil, Broker(broken{brokermemory.NewBroker()}))
	if err := RegisterSubscriber("my.topic", s.Server(), func(context.Context, *Text) error { return nil }); err != nil {
		t.Fatal(err)
	}
	if err := s.Run(); err == nil || !strings.Contains(err.Error(), `subscribe to topic "my.topic": its address is nonsense`) {
		t.Errorf("Run: %v", err)
	}
}

// broken is a broker that knows that it can never work.
type broken struct{ broker.Broker }

func (broken) Err() error { return errors.New("its address is nonsense") }

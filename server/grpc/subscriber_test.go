package grpc_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/rollcall-go/micro/broker"
	"github.com/rollcall-go/micro/codec"
	"github.com/rollcall-go/micro/codec/bytes"
	"github.com/rollcall-go/micro/internal/testkit/currentpb"
	"github.com/rollcall-go/micro/metadata"
	"github.com/rollcall-go/micro/server"
)

// subscribed is a server that runs and is subscribed by v, to the topic my.topic.
func subscribed(t *testing.T, v any, subOpts []server.SubscriberOption, opts ...server.Option) (*fixture, *brokerDouble) {
	t.Helper()
	b := &brokerDouble{}
	f := newServer(t, append([]server.Option{server.Broker(b)}, opts...)...)
	if err := f.server.Subscribe(f.server.NewSubscriber("my.topic", v, subOpts...)); err != nil {
		t.Fatal(err)
	}
	f.start(t)
	if got := b.topics(); !slices.Equal(got, []string{"my.topic"}) {
		t.Fatalf("subscribed to %q when the server had started", got)
	}
	return f, b
}

// Order is a message that is no protobuf.
type Order struct{ Item string }

func TestMessagesAreDecodedByTheirContentType(t *testing.T) {
	type say = currentpb.SayRequest
	pb, err := proto.Marshal(&say{Text: "hi"})
	if err != nil {
		t.Fatal(err)
	}
	got := ""
	saying := func(_ context.Context, in *say) error { got = in.Text; return nil }
	for name, tc := range map[string]struct {
		subscriber any
		body       string
		header     []string
		want       string
	}{
		"no header":       {saying, string(pb), nil, "hi"},
		"protobuf":        {saying, string(pb), []string{"Content-Type", "application/grpc+proto"}, "hi"},
		"another case":    {saying, string(pb), []string{"content-type", "application/protobuf"}, "hi"},
		"protobuf's JSON": {saying, `{"text":"hi"}`, []string{"Content-Type", "application/json"}, "hi"},
		"JSON":            {func(_ context.Context, in *Order) error { got = in.Item; return nil }, `{"Item":"tea"}`, []string{"Content-Type", "application/json"}, "tea"},
		"by value":        {func(_ context.Context, in Order) error { got = in.Item; return nil }, `{"Item":"tea"}`, []string{"Content-Type", "application/json"}, "tea"},
		"undecoded":       {func(_ context.Context, in *bytes.Frame) error { got = string(in.Data); return nil }, "raw", []string{"Content-Type", "application/json"}, "raw"},
		"bytes":           {func(_ context.Context, in *[]byte) error { got = string(*in); return nil }, "raw", []string{"Content-Type", "application/grpc+bytes"}, "raw"},
	} {
		t.Run(name, func(t *testing.T) {
			_, b := subscribed(t, tc.subscriber, nil)
			got = ""
			if err := b.on("my.topic").bring(tc.body, tc.header...); err != nil || got != tc.want {
				t.Errorf("got %q, %v, want %q", got, err, tc.want)
			}
		})
	}
}

func TestWhatCannotBeDecodedIsTheBrokersToKnow(t *testing.T) {
	_, b := subscribed(t, func(context.Context, *currentpb.SayRequest) error { t.Error("called"); return nil }, nil)
	for says, err := range map[string]error{
		`decode a message of topic "my.topic": Unsupported Content-Type: text/plain`:       b.on("my.topic").bring("x", "Content-Type", "text/plain"),
		`decode a message of topic "my.topic" for Func, content type "application/json": `: b.on("my.topic").bring("{", "Content-Type", "application/json"),
		`decode a message of topic "my.topic" for Func, content type "application/grpc": `: b.on("my.topic").bring("\xff"),
		`take a message of topic "my.topic": the broker brought none`:                      b.on("my.topic").bringEvent(&eventDouble{topic: "my.topic"}),
	} {
		if err == nil || !strings.HasPrefix(err.Error(), says) {
			t.Errorf("got %v, want %s", err, says)
		}
	}
}

func TestHeadersAreTheMetadataOfTheContext(t *testing.T) {
	var md metadata.Metadata
	var deadline bool
	_, b := subscribed(t, func(ctx context.Context, _ *bytes.Frame) error {
		md, _ = metadata.FromContext(ctx)
		_, deadline = ctx.Deadline()
		return nil
	}, nil)
	if err := b.on("my.topic").bring("", "Content-Type", "application/json", "Micro-Topic", "my.topic", "user", "我"); err != nil {
		t.Fatal(err)
	}
	if want := "map[Micro-Topic:my.topic User:我]"; fmt.Sprint(md) != want || deadline {
		t.Errorf("metadata %v, a deadline: %v; want %s and none", md, deadline, want)
	}
}

func TestWrappersSeeTheMessage(t *testing.T) {
	var steps []string
	step := func(name string) server.Option {
		return server.WrapSubscriber(func(next server.SubscriberFunc) server.SubscriberFunc {
			return func(ctx context.Context, m server.Message) error {
				steps = append(steps, name)
				return next(ctx, m)
			}
		})
	}
	var frame bytes.Frame
	look := server.WrapSubscriber(func(next server.SubscriberFunc) server.SubscriberFunc {
		return func(ctx context.Context, m server.Message) error {
			head := codec.Message{}
			err := errors.Join(m.Codec().ReadHeader(&head, codec.Event), m.Codec().ReadBody(&frame), m.Codec().ReadBody(nil))
			if m.Topic() != "my.topic" || m.Payload().(*Order).Item != "tea" || m.ContentType() != "application/json" || m.Header()["A"] != "b" || string(m.Body()) != `{"Item":"tea"}` || head.Target != "my.topic" || err != nil {
				t.Errorf("the message is %+v, its codec says %+v, %v", m, head, err)
			}
			return next(ctx, m)
		}
	})
	_, b := subscribed(t, func(context.Context, *Order) error { steps = append(steps, "subscriber"); return nil }, nil, step("outer"), step("inner"), look)
	if err := b.on("my.topic").bring(`{"Item":"tea"}`, "Content-Type", "application/json", "A", "b"); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(steps, []string{"outer", "inner", "subscriber"}) || string(frame.Data) != `{"Item":"tea"}` {
		t.Errorf("steps %q, body %q", steps, frame.Data)
	}
}

// Shop has two methods, which both get each message.
type Shop struct {
	mu    sync.Mutex
	calls []string
	fail  func(method string) error
}

func (s *Shop) Bill(_ context.Context, in *Order) error { return s.call("bill " + in.Item) }
func (s *Shop) Pack(_ context.Context, in *Order) error { return s.call("pack " + in.Item) }

func (s *Shop) call(what string) error {
	s.mu.Lock()
	s.calls = append(s.calls, what)
	s.mu.Unlock()
	if s.fail != nil {
		return s.fail(what)
	}
	return nil
}

var order = []string{"Content-Type", "application/json"}

func TestEachMethodOfAStructGetsEachMessage(t *testing.T) {
	s := &Shop{}
	_, b := subscribed(t, s, nil)
	if err := b.on("my.topic").bring(`{"Item":"tea"}`, order...); err != nil {
		t.Fatal(err)
	}
	slices.Sort(s.calls)
	if !slices.Equal(s.calls, []string{"bill tea", "pack tea"}) {
		t.Errorf("calls %q", s.calls)
	}
}

func TestFailuresOfSubscribersAreOneError(t *testing.T) {
	sorry := errors.New("sold out")
	for name, tc := range map[string]struct {
		fail func(string) error
		says []string
	}{
		"errors": {func(string) error { return sorry }, []string{"subscriber error: sold out\nsold out"}},
		"a panic": {func(what string) error {
			if strings.HasPrefix(what, "pack") {
				panic("no string")
			}
			return sorry
		}, []string{"sold out", "panic recovered: no string"}},
		"an ended goroutine": {func(what string) error {
			if strings.HasPrefix(what, "pack") {
				runtime.Goexit()
			}
			return sorry
		}, []string{"sold out", "Shop.Pack ended its goroutine"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, b := subscribed(t, &Shop{fail: tc.fail}, nil)
			err := b.on("my.topic").bring(`{"Item":"tea"}`, order...)
			if !errors.Is(err, sorry) {
				t.Fatalf("got %v", err)
			}
			for _, says := range tc.says {
				if !strings.Contains(err.Error(), says) {
					t.Errorf("got %v, want %q in it", err, says)
				}
			}
		})
	}
}

func TestPanicsHarmNobody(t *testing.T) {
	for name, opts := range map[string][]server.Option{
		"of the function": nil,
		"of a wrapper": {server.WrapSubscriber(func(server.SubscriberFunc) server.SubscriberFunc {
			return func(context.Context, server.Message) error { panic("boom") }
		})},
	} {
		t.Run(name, func(t *testing.T) {
			f, b := subscribed(t, func(context.Context, *Order) error { panic("boom") }, nil, opts...)
			if err := b.on("my.topic").bring(`{}`, order...); err == nil || !strings.Contains(err.Error(), "panic recovered: boom") {
				t.Errorf("got %v", err)
			}
			if got, err := f.say(t.Context(), "hi"); got != "hi" || err != nil {
				t.Errorf("a call afterwards: %q, %v", got, err)
			}
		})
	}
}

func TestAWrapperThatReplacesTheMessageByAnother(t *testing.T) {
	_, b := subscribed(t, func(context.Context, *Order) error { return nil }, nil, server.WrapSubscriber(func(next server.SubscriberFunc) server.SubscriberFunc {
		return func(ctx context.Context, m server.Message) error { return next(ctx, replaced{m}) }
	}))
	if err := b.on("my.topic").bring(`{}`, order...); err == nil || !strings.Contains(err.Error(), "a wrapper replaced the message by a string") {
		t.Errorf("got %v", err)
	}
}

type replaced struct{ server.Message }

func (replaced) Payload() any { return "text" }

func TestOptionsOfASubscriberReachTheBroker(t *testing.T) {
	type key struct{}
	ctx := context.WithValue(t.Context(), key{}, "mine")
	_, b := subscribed(t, func(ctx context.Context, in *Order) error {
		e, ok := broker.EventFromContext(ctx)
		if !ok || e.Topic() != "my.topic" {
			return errors.New("no event")
		}
		return e.Ack()
	}, []server.SubscriberOption{server.SubscriberQueue("q"), server.SubscriberContext(ctx), server.DisableAutoAck()})
	s := b.on("my.topic")
	if o := s.opts; o.Queue != "q" || o.AutoAck || o.Context.Value(key{}) != "mine" {
		t.Errorf("options %+v", o)
	}
	e := &eventDouble{topic: "my.topic", message: message(`{}`, order...)}
	if err := s.bringEvent(e); err != nil || e.acks != 1 {
		t.Errorf("acknowledged %d times, %v", e.acks, err)
	}
	if _, ok := broker.EventFromContext(t.Context()); ok {
		t.Error("a context without an event has one")
	}
}

func TestMessagesCountInTheGroupOfWait(t *testing.T) {
	var wg sync.WaitGroup
	_, b := subscribed(t, func(context.Context, *Order) error {
		wg.Done() // panics if the message does not count
		wg.Add(1)
		return nil
	}, nil, server.Wait(&wg))
	if err := b.on("my.topic").bring(`{}`, order...); err != nil {
		t.Error(err)
	}
	wg.Wait()
}

// router takes everything.
type router struct{ got []string }

func (r *router) ProcessMessage(ctx context.Context, m server.Message) error {
	var in Order
	err := m.Codec().ReadBody(&in)
	user, _ := metadata.Get(ctx, "User")
	r.got = append(r.got, fmt.Sprint(m.Topic(), " ", in.Item, " ", user, " ", m.Payload()))
	return err
}

func (r *router) ServeRequest(context.Context, server.Request, server.Response) error { return nil }

func TestARouterGetsTheMessages(t *testing.T) {
	r := &router{}
	_, b := subscribed(t, func(context.Context, *Order) error { t.Error("called"); return nil }, nil, server.WithRouter(r))
	if err := b.on("my.topic").bring(`{"Item":"tea"}`, append(order, "User", "u")...); err != nil || !slices.Equal(r.got, []string{"my.topic tea u <nil>"}) {
		t.Errorf("got %q, %v", r.got, err)
	}
	if err := b.on("my.topic").bring(`{`, order...); err == nil {
		t.Error("its error is lost")
	}
}

func TestWhatIsNoSubscriberIsRefusedBySubscribe(t *testing.T) {
	f := newServer(t, server.Broker(&brokerDouble{}))
	good := f.server.NewSubscriber("my.topic", func(context.Context, *Order) error { return nil })
	if err := f.server.Subscribe(good); err != nil {
		t.Fatal(err)
	}
	for says, sub := range map[string]server.Subscriber{
		"is there already":                      good,
		"the topic is empty":                    f.server.NewSubscriber("", func(context.Context, *Order) error { return nil }),
		"not a func(context.Context, *T) error": f.server.NewSubscriber("my.topic", func() {}),
		"of nil":                                foreign{f.server.NewSubscriber("my.topic", nil)},
	} {
		if err := f.server.Subscribe(sub); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("got %v, want %q", err, says)
		}
	}
	if err := f.server.Subscribe(foreign{good}); err != nil {
		t.Errorf("one that another package made: %v", err)
	}
	f.start(t)
	if err := f.server.Stop(); err != nil {
		t.Fatal(err)
	}
	if err := f.server.Subscribe(foreign{good}); err == nil || !strings.Contains(err.Error(), "has been stopped") {
		t.Errorf("after Stop: %v", err)
	}
}

// foreign is a subscriber that another package made.
type foreign struct{ subscriberOf }

type subscriberOf = interface {
	server.Subscriber
}

func TestSubscribersStandInTheRecordAsV2s(t *testing.T) {
	f := newServer(t, server.Broker(&brokerDouble{}))
	for _, sub := range []server.Subscriber{
		f.server.NewSubscriber("a.topic", func(context.Context, *Order) error { return nil }),
		f.server.NewSubscriber("b.topic", &Shop{}),
		f.server.NewSubscriber("c.topic", &Shop{}, server.InternalSubscriber(true)),
	} {
		if err := f.server.Subscribe(sub); err != nil {
			t.Fatal(err)
		}
	}
	f.start(t)
	all, err := f.registry.GetService("go.micro.test")
	if err != nil || len(all) != 1 {
		t.Fatalf("got %v, %v", all, err)
	}
	var got []string
	for _, e := range all[0].Endpoints {
		if e.Metadata["subscriber"] == "true" {
			got = append(got, fmt.Sprint(e.Name, " ", e.Metadata["topic"], " ", e.Request.Name, " ", e.Response == nil))
		}
	}
	if want := []string{"Shop.Bill b.topic Order true", "Shop.Pack b.topic Order true", "Func a.topic Order true"}; !slices.Equal(got, want) {
		t.Errorf("the record has %q, want %q", got, want)
	}
	if md := all[0].Nodes[0].Metadata; md["broker"] != "double" {
		t.Errorf("metadata %v", md)
	}
}

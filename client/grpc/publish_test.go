package grpc_test

import (
	"context"
	stderrors "errors"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/rollcall-go/micro/broker"
	"github.com/rollcall-go/micro/client"
	cgrpc "github.com/rollcall-go/micro/client/grpc"
	"github.com/rollcall-go/micro/codec/bytes"
	"github.com/rollcall-go/micro/errors"
	"github.com/rollcall-go/micro/internal/testkit/currentpb"
	"github.com/rollcall-go/micro/metadata"
)

// noting is a broker that notes what is published, once it is connected.
type noting struct {
	broker.Broker               // nil: nothing else is called
	hang          chan struct{} // Connect waits until it is closed; nil: it does not wait

	mu        sync.Mutex
	away      error
	connects  int
	connected bool
	refuses   error
	topics    []string
	messages  []*broker.Message
	ctx       context.Context // of the last publication
}

func (n *noting) String() string { return "noting" }

func (n *noting) Connect() error {
	if n.hang != nil {
		<-n.hang
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.connects++
	n.connected = n.away == nil
	return n.away
}

func (n *noting) Disconnect() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.connected = false
	return nil
}

func (n *noting) Publish(topic string, m *broker.Message, opts ...broker.PublishOption) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if !n.connected {
		return broker.ErrNotConnected
	}
	var o broker.PublishOptions
	for _, opt := range opts {
		opt(&o)
	}
	n.ctx = o.Context
	n.topics, n.messages = append(n.topics, topic), append(n.messages, m)
	return n.refuses
}

// last returns the message published last.
func (n *noting) last() *broker.Message {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.messages[len(n.messages)-1]
}

func publisher(t *testing.T, b broker.Broker, opts ...client.Option) client.Client {
	t.Helper()
	c := cgrpc.NewClient(append([]client.Option{client.Broker(b)}, opts...)...)
	t.Cleanup(func() {
		if err := c.(interface{ Close() error }).Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

func TestPublishEncodesByTheContentType(t *testing.T) {
	n := &noting{}
	c := publisher(t, n)
	say := &currentpb.SayRequest{Text: "hi", NumberOfTimes: 7}
	pb, err := proto.Marshal(say)
	if err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		payload     any
		contentType string
		body        string
	}{
		"by default":      {say, "", string(pb)},
		"protobuf's JSON": {say, "application/json", `{"text":"hi","numberOfTimes":"7"}`},
		"JSON":            {map[string]int{"a": 1}, "application/json", `{"a":1}`},
		"as it is":        {&bytes.Frame{Data: []byte("raw")}, "application/json", "raw"},
	} {
		t.Run(name, func(t *testing.T) {
			var opts []client.MessageOption
			want := "application/grpc+proto"
			if tc.contentType != "" {
				opts, want = append(opts, client.WithMessageContentType(tc.contentType)), tc.contentType
			}
			if err := c.Publish(t.Context(), c.NewMessage("my.topic", tc.payload, opts...)); err != nil {
				t.Fatal(err)
			}
			if m := n.last(); string(m.Body) != tc.body || m.Header["Content-Type"] != want || m.Header["Micro-Topic"] != "my.topic" {
				t.Errorf("published %q with %v", m.Body, m.Header)
			}
		})
	}
}

func TestMetadataBecomesTheHeadersOfAMessage(t *testing.T) {
	n := &noting{}
	c := publisher(t, n)
	ctx := metadata.NewContext(t.Context(), metadata.Metadata{
		"micro-from-service": "shop", "User": "我", "Remote": "10.0.0.1:2", ":authority": "a:1", "User-Agent": "grpc-go", "timeout": "5", "Content-Type": "text/plain",
	})
	if err := c.Publish(ctx, c.NewMessage("my.topic", &currentpb.SayRequest{}), client.WithExchange("an.exchange")); err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"Micro-From-Service": "shop", "User": "我", "Content-Type": "application/grpc+proto", "Micro-Topic": "my.topic"}
	if m := n.last(); !maps.Equal(m.Header, want) || !slices.Equal(n.topics, []string{"an.exchange"}) {
		t.Errorf("published to %q with %v, want %v", n.topics, m.Header, want)
	}
}

func TestAPublicationIsBounded(t *testing.T) {
	type key struct{}
	n := &noting{}
	c := publisher(t, n, client.RequestTimeout(time.Hour))
	early, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	valued := context.WithValue(t.Context(), key{}, "mine")
	earlyValued := context.WithValue(early, key{}, "mine")
	for name, tc := range map[string]struct {
		ctx, also context.Context
		within    time.Duration
	}{
		"by the client":                 {t.Context(), nil, time.Hour},
		"by its context":                {early, nil, time.Minute},
		"by its context among both":     {early, valued, time.Minute},
		"by that of its options":        {t.Context(), earlyValued, time.Minute},
		"by the client, in spite of it": {t.Context(), valued, time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			var opts []client.PublishOption
			if tc.also != nil {
				opts = append(opts, client.PublishContext(tc.also))
			}
			if err := c.Publish(tc.ctx, c.NewMessage("my.topic", &currentpb.SayRequest{}), opts...); err != nil {
				t.Fatal(err)
			}
			at, _ := n.ctx.Deadline()
			if left := time.Until(at); left > tc.within || left < tc.within-time.Minute {
				t.Errorf("it has %v, want %v", left, tc.within)
			}
			if tc.also != nil && n.ctx.Value(key{}) != "mine" {
				t.Error("the values of PublishContext are lost")
			}
		})
	}
}

func TestAPublicationEndsWithItsContext(t *testing.T) {
	n := &noting{hang: make(chan struct{})}
	c := publisher(t, n)
	defer close(n.hang)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	err := c.Publish(ctx, c.NewMessage("my.topic", &currentpb.SayRequest{}))
	if e, ok := err.(*errors.Error); !ok || e.Code != http.StatusRequestTimeout || !stderrors.Is(err, context.DeadlineExceeded) || !strings.Contains(e.Detail, `publish to topic "my.topic" by the broker noting: connect`) {
		t.Errorf("got %v", err)
	}
}

func TestABrokerThatIsAwayIsToldToThePublisher(t *testing.T) {
	n := &noting{away: stderrors.New("connection refused")}
	c := publisher(t, n)
	publish := func() error { return c.Publish(t.Context(), c.NewMessage("my.topic", &currentpb.SayRequest{})) }
	err := publish()
	if e, ok := err.(*errors.Error); !ok || e.Code != http.StatusInternalServerError || !stderrors.Is(err, n.away) || e.Detail != `publish to topic "my.topic" by the broker noting: connect: connection refused` {
		t.Errorf("got %v", err)
	}
	n.mu.Lock()
	n.away = nil
	n.mu.Unlock()
	if err := publish(); err != nil {
		t.Errorf("once it is back: %v", err)
	}
	// A server that stopped may have disconnected what it shared with the client.
	if err := n.Disconnect(); err != nil {
		t.Fatal(err)
	}
	if err := publish(); err != nil || n.connects != 3 {
		t.Errorf("once it was disconnected: %v, connected %d times", err, n.connects)
	}
}

func TestWhatCannotBePublished(t *testing.T) {
	n := &noting{refuses: stderrors.New("no such exchange")}
	c, none := publisher(t, n), publisher(t, nil)
	good := c.NewMessage("my.topic", &currentpb.SayRequest{})
	for says, publish := range map[string]func() error{
		"msg is nil": func() error { return c.Publish(t.Context(), nil) },
		`publish to topic "my.topic": Unsupported Content-Type: text/plain`: func() error {
			return c.Publish(t.Context(), c.NewMessage("my.topic", "x", client.WithMessageContentType("text/plain")))
		},
		`publish to topic "my.topic": encode the message, content type "application/grpc+proto": `: func() error {
			return c.Publish(t.Context(), c.NewMessage("my.topic", "x"))
		},
		"by the broker noting: no such exchange": func() error { return c.Publish(t.Context(), good) },
		"the client has no broker":               func() error { return none.Publish(t.Context(), good) },
	} {
		err := publish()
		if e, ok := err.(*errors.Error); !ok || e.Code != http.StatusInternalServerError || e.Id != "go.micro.client" || !strings.Contains(e.Detail, says) {
			t.Errorf("got %v, want %q", err, says)
		}
	}
	if err := c.Init(client.Broker(&noting{})); err != nil {
		t.Fatal(err)
	}
	if err := c.Publish(t.Context(), good); err != nil {
		t.Errorf("by another broker: %v", err)
	}
}

func TestABrokerThatPublishesUnconnectedIsNotConnected(t *testing.T) {
	n := &noting{connected: true}
	c := publisher(t, connectionless{n})
	if err := c.Publish(t.Context(), c.NewMessage("my.topic", &currentpb.SayRequest{})); err != nil || n.connects != 0 {
		t.Errorf("got %v, connected %d times", err, n.connects)
	}
}

type connectionless struct{ *noting }

func (connectionless) PublishesUnconnected() bool { return true }

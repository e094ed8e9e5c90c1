package broker

import (
	"context"
	"crypto/tls"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-go/micro/codec/json"
	"github.com/rollcall-go/micro/registry"
)

func TestDefaultBrokerSaysWhatIsMissing(t *testing.T) {
	_, subscribe := Subscribe("my.topic", func(Event) error { return nil })
	for name, err := range map[string]error{
		"connect":                 Connect(),
		`publish to "my.topic"`:   Publish("my.topic", &Message{}),
		`subscribe to "my.topic"`: subscribe,
	} {
		if !errors.Is(err, ErrNoBroker) || !strings.HasPrefix(err.Error(), name) || !strings.Contains(err.Error(), "micro.Broker") {
			t.Errorf("%s: %v, want ErrNoBroker and the way out", name, err)
		}
	}
	if err := Disconnect(); err != nil {
		t.Errorf("Disconnect() = %v", err)
	}
	if err, ok := DefaultBroker.(interface{ Err() error }); !ok || !errors.Is(err.Err(), ErrNoBroker) {
		t.Error("the default broker does not say that it is missing")
	}
	if String() != "http" || DefaultBroker.Address() != "" {
		t.Errorf("String() = %q, Address() = %q", String(), DefaultBroker.Address())
	}
}

func TestOptions(t *testing.T) {
	handler := func(Event) error { return errors.New("called") }
	config, reg := new(tls.Config), registry.NewRegistry()
	b := NewBroker(Addrs("a", "b"))
	if err := b.Init(Codec(json.Marshaler{}), ErrorHandler(handler), Registry(reg), Secure(true), TLSConfig(config), StopGrace(time.Second)); err != nil {
		t.Fatal(err)
	}
	o := b.Options()
	if !slices.Equal(o.Addrs, []string{"a", "b"}) || o.Codec != (json.Marshaler{}) || o.Registry != reg || !o.Secure || o.StopGrace != time.Second || o.TLSConfig != config {
		t.Errorf("options %+v", o)
	}
	if err := o.ErrorHandler(nil); err == nil {
		t.Error("the error handler is another one")
	}
	if len(DefaultBroker.Options().Addrs) != 0 {
		t.Error("the default broker has another broker's addresses")
	}
	old := DefaultBroker
	defer func() { DefaultBroker = old }()
	DefaultBroker = b
	if err := Init(Addrs("c")); err != nil || !slices.Equal(b.Options().Addrs, []string{"c"}) {
		t.Errorf("Init reached %v, %v", b.Options().Addrs, err)
	}
}

func TestSubscribeAndPublishOptions(t *testing.T) {
	if !NewSubscribeOptions().AutoAck {
		t.Error("messages are not acknowledged by default")
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	want := SubscribeOptions{Queue: "q", Concurrency: 3, Context: ctx}
	if got := NewSubscribeOptions(DisableAutoAck(), Queue("q"), Concurrency(3), SubscribeContext(ctx)); got != want {
		t.Errorf("options %+v, want %+v", got, want)
	}
	var p PublishOptions
	for _, opt := range []PublishOption{PublishContext(ctx), Confirmed()} {
		opt(&p)
	}
	if p != (PublishOptions{Confirmed: true, Context: ctx}) {
		t.Errorf("options %+v", p)
	}
}

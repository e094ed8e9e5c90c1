package server_test

import (
	"crypto/tls"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/rollcall-go/micro/server"
)

func TestDefaults(t *testing.T) {
	o := server.NewOptions(server.Name(""), server.Version(""), server.Id(""), server.Address(""), server.RegisterCheck(nil))
	if o.Name != "go.micro.server" || o.Version != "latest" || o.Address != ":0" {
		t.Errorf("options are %+v", o)
	}
	if _, err := uuid.Parse(o.Id); err != nil || o.Id != server.NewOptions().Id {
		t.Errorf("the default id is %q: %v", o.Id, err)
	}
	if o.RegisterTTL != 0 || o.RegisterInterval != 0 {
		t.Errorf("nobody set %v and %v", o.RegisterTTL, o.RegisterInterval)
	}
	if o.Broker == nil || o.Registry == nil || o.Codecs == nil || o.Metadata == nil || o.RegisterCheck == nil {
		t.Errorf("a default is nil: %+v", o)
	}
	if err := o.RegisterCheck(t.Context()); err != nil {
		t.Errorf("the default check refuses: %v", err)
	}
}

func TestOptionsAreRecorded(t *testing.T) {
	cfg := &tls.Config{MinVersion: tls.VersionTLS13}
	o := server.NewOptions(
		server.Name("greeter"), server.Id("1"), server.Version("2"), server.Address(":1"), server.Advertise("a:1"),
		server.Metadata(map[string]string{"zone": "east"}), server.RegisterTTL(time.Minute), server.RegisterInterval(time.Second),
		server.TLSConfig(cfg), server.Codec("x", nil),
	)
	if o.Name != "greeter" || o.Id != "1" || o.Version != "2" || o.Address != ":1" || o.Advertise != "a:1" || o.Metadata["zone"] != "east" ||
		o.RegisterTTL != time.Minute || o.RegisterInterval != time.Second || o.TLSConfig != cfg {
		t.Errorf("options are %+v", o)
	}
	if _, ok := o.Codecs["x"]; !ok {
		t.Error("the codec is not there")
	}
}

func TestWait(t *testing.T) {
	wg := new(sync.WaitGroup)
	if got := server.NewOptions(server.Wait(wg)).Context.Value("wait"); got != wg {
		t.Errorf("found %v under the key, want the group given", got)
	}
	if got, ok := server.NewOptions(server.Wait(nil)).Context.Value("wait").(*sync.WaitGroup); !ok || got == nil {
		t.Error("Wait(nil) made no group")
	}
}

func TestHandlerOptions(t *testing.T) {
	var o server.HandlerOptions
	server.EndpointMetadata("Greeter.Hello", map[string]string{"k": "v"})(&o)
	server.InternalHandler(true)(&o)
	if !o.Internal || o.Metadata["Greeter.Hello"]["k"] != "v" {
		t.Errorf("options are %+v", o)
	}
}

func TestSubscriberOptions(t *testing.T) {
	if o := server.NewSubscriberOptions(); !o.AutoAck || o.Queue != "" || o.Internal || o.Context == nil {
		t.Errorf("the defaults are %+v", o)
	}
	o := server.NewSubscriberOptions(server.DisableAutoAck(), server.SubscriberQueue("q"), server.InternalSubscriber(true), server.SubscriberContext(t.Context()))
	if o.AutoAck || o.Queue != "q" || !o.Internal || o.Context != t.Context() {
		t.Errorf("options are %+v", o)
	}
}

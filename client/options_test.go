package client_test

import (
	"slices"
	"testing"
	"time"

	"github.com/rollcall-go/micro/client"
	"github.com/rollcall-go/micro/client/selector"
	"github.com/rollcall-go/micro/registry"
)

func TestDefaults(t *testing.T) {
	o := client.NewOptions()
	co := o.CallOptions
	if co.Retries != 1 || co.RequestTimeout != 5*time.Second || co.DialTimeout != 5*time.Second || co.StreamTimeout != 0 {
		t.Errorf("call options are %+v", co)
	}
	if o.PoolSize != 100 || o.PoolTTL != time.Minute || o.ContentType != "application/protobuf" {
		t.Errorf("options are %+v", o)
	}
	if o.Context == nil || o.Cache == nil || o.Codecs == nil || o.Selector == nil || o.Registry == nil || o.Broker == nil || co.Backoff == nil || co.Retry == nil {
		t.Errorf("a default is nil: %+v", o)
	}
}

// named is a Registry that is only told apart.
type named struct {
	registry.Registry
	name string
}

func TestRegistryReachesTheSelector(t *testing.T) {
	east, west := named{name: "east"}, named{name: "west"}

	t.Run("the shared default is replaced", func(t *testing.T) {
		a := client.NewOptions(client.Registry(east))
		b := client.NewOptions(client.Registry(west))
		if a.Selector.Options().Registry != registry.Registry(east) || b.Selector.Options().Registry != registry.Registry(west) {
			t.Error("one client's registry disturbed the other's selector")
		}
		if selector.DefaultSelector.Options().Registry != registry.DefaultRegistry {
			t.Error("the default selector was changed")
		}
	})
	t.Run("a selector of the program is initialised", func(t *testing.T) {
		s := selector.NewSelector(selector.SetStrategy(selector.RoundRobin))
		o := client.NewOptions(client.Selector(s), client.Registry(east))
		if o.Selector != s || s.Options().Registry != registry.Registry(east) {
			t.Error("the selector does not have the registry")
		}
	})
	t.Run("a wrapped default is initialised, as the program asked", func(t *testing.T) {
		inner := selector.NewSelector()
		o := client.NewOptions(client.Selector(struct{ selector.Selector }{inner}), client.Registry(west))
		if o.Selector.Options().Registry != registry.Registry(west) || inner.Options().Registry != registry.Registry(west) {
			t.Error("the selector does not have the registry")
		}
	})
	t.Run("no selector", func(t *testing.T) {
		o := client.NewOptions(client.Selector(nil), client.Registry(west))
		if o.Selector == nil || o.Selector.Options().Registry != registry.Registry(west) {
			t.Error("there is no selector with the registry")
		}
	})
}

func TestCallOptionsDoNotReachTheClient(t *testing.T) {
	wrapper := func(next client.CallFunc) client.CallFunc { return next }
	base := client.NewOptions(client.WrapCall(wrapper)).CallOptions
	base.CallWrappers = slices.Grow(base.CallWrappers, 8) // room in which an append would write
	base.SelectOptions = make([]selector.SelectOption, 0, 8)

	call := base
	for _, opt := range []client.CallOption{
		client.WithCallWrapper(wrapper),
		client.WithSelectOption(selector.WithFilter(selector.FilterVersion("1"))),
		client.WithAddress("a:1", "b:2"), client.WithRetries(4), client.WithServiceToken(), client.WithCache(time.Second),
		client.WithRequestTimeout(time.Hour), client.WithStreamTimeout(time.Minute), client.WithDialTimeout(time.Second),
		client.WithRetry(client.RetryAlways), client.WithBackoff(client.DefaultBackoff),
	} {
		opt(&call)
	}
	if len(call.CallWrappers) != 2 || len(call.SelectOptions) != 1 || len(call.Address) != 2 || call.Retries != 4 || !call.ServiceToken ||
		call.CacheExpiry != time.Second || call.RequestTimeout != time.Hour || call.StreamTimeout != time.Minute || call.DialTimeout != time.Second {
		t.Errorf("the call's options are %+v", call)
	}
	if base.CallWrappers[:2][1] != nil || base.SelectOptions[:1][0] != nil {
		t.Error("a call wrote into the client's options")
	}
}

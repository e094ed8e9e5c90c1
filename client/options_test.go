package client_test

import (
	"math/rand/v2"
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
	if o.PoolSize != 4 || o.PoolTTL != time.Minute || o.ContentType != "application/protobuf" {
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

// In whatever order options are given, they mean the same.
func TestOrderOfOptionsDoesNotMatter(t *testing.T) {
	east := named{name: "east"}
	for range 200 {
		s := selector.NewSelector(selector.SetStrategy(selector.RoundRobin), selector.Registry(named{name: "its own"}))
		opts := []client.Option{
			client.Registry(east), client.Selector(s), client.PoolSize(2), client.PoolTTL(time.Hour), client.ContentType("application/json"),
			client.Retries(3), client.RequestTimeout(time.Second), client.DialTimeout(5 * time.Second),
		}
		rand.Shuffle(len(opts), func(i, j int) { opts[i], opts[j] = opts[j], opts[i] })
		o := client.NewOptions(opts...)
		if o.Selector != s || s.Options().Registry != registry.Registry(east) || o.Registry != registry.Registry(east) || s.Options().Strategy == nil {
			t.Fatal("the selector does not have the registry")
		}
		if o.PoolSize != 2 || o.PoolTTL != time.Hour || o.ContentType != "application/json" || o.CallOptions.Retries != 3 ||
			o.CallOptions.RequestTimeout != time.Second || !client.Given(o.CallOptions, client.SettingDialTimeout|client.SettingRequestTimeout) {
			t.Fatalf("options are %+v", o)
		}
	}
}

// A value that was given is told from a default that is the same.
func TestGiven(t *testing.T) {
	o := client.NewOptions().CallOptions
	if client.Given(o, client.SettingDialTimeout) || client.Given(o, client.SettingRequestTimeout) {
		t.Error("a default counts as given")
	}
	o = client.NewOptions(client.DialTimeout(o.DialTimeout)).CallOptions
	if !client.Given(o, client.SettingDialTimeout) {
		t.Error("the default, given, does not count")
	}
	_, given := client.ApplyCallOptions(o, client.WithRequestTimeout(o.RequestTimeout))
	if given != client.SettingRequestTimeout {
		t.Errorf("an option gave %b", given)
	}
	_, given = client.ApplyCallOptions(o, func(o *client.CallOptions) { o.RequestTimeout = time.Hour })
	if given != client.SettingRequestTimeout {
		t.Errorf("an option of the program's own gave %b", given)
	}
	if _, given = client.ApplyCallOptions(o); given != 0 {
		t.Errorf("no option gave %b", given)
	}
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

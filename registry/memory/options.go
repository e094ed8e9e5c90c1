package memory

import (
	"context"

	"github.com/rollcall-go/micro/registry"
)

type settingsKey struct{}

// settings are the options of this backend alone.
type settings struct {
	services map[string][]*registry.Service
}

func settingsOf(o registry.Options) settings {
	if o.Context == nil {
		return settings{}
	}
	s, _ := o.Context.Value(settingsKey{}).(settings)
	return s
}

// Services puts services into the registry from the start, for as long as it
// exists. The keys stand for names that are left empty. Services that could not
// be registered, having no nodes, say, are left out.
func Services(services map[string][]*registry.Service) registry.Option {
	return func(o *registry.Options) {
		ctx := o.Context
		if ctx == nil {
			// The root of values alone: nothing waits on it.
			ctx = context.Background()
		}
		o.Context = context.WithValue(ctx, settingsKey{}, settings{services: services})
	}
}

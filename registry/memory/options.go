package memory

import (
	"github.com/rollcall-go/micro/internal/settings"
	"github.com/rollcall-go/micro/registry"
)

// memorySettings are the options of this backend alone.
type memorySettings struct {
	services map[string][]*registry.Service
}

// initial returns the services that the registry begins with.
func initial(o registry.Options) map[string][]*registry.Service {
	s, _ := settings.Of[memorySettings](o.Context)
	return s.services
}

// Services puts services into the registry from the start, for as long as it
// exists. The keys stand for names that are left empty. Services that could not
// be registered, having no nodes, say, are left out.
func Services(services map[string][]*registry.Service) registry.Option {
	return func(o *registry.Options) {
		o.Context = settings.With(o.Context, memorySettings{services: services})
	}
}

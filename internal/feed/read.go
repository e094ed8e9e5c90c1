package feed

import (
	"context"
	"errors"
	"slices"

	"github.com/rollcall-go/micro/internal/record"
	"github.com/rollcall-go/micro/registry"
)

// Read returns everything that is registered in r under the name, all services if
// it is empty, with their nodes. That nothing is there is no error; any
// other is the registry's as it is. The lists are the caller's.
func Read(ctx context.Context, r registry.Registry, name string) ([]*registry.Service, error) {
	if name != "" {
		return readOne(ctx, r, name)
	}
	all, err := r.ListServices(registry.ListContext(ctx))
	if err != nil {
		return nil, err
	}
	var out []*registry.Service
	asked := make(map[string]bool)
	for _, s := range all {
		switch {
		case s == nil || asked[s.Name]:
		case len(s.Nodes) > 0:
			out = append(out, record.CopyService(s))
		default: // some registries list names only
			asked[s.Name] = true
			versions, err := readOne(ctx, r, s.Name)
			if err != nil {
				return nil, err
			}
			out = append(out, versions...)
		}
	}
	return out, nil
}

func readOne(ctx context.Context, r registry.Registry, name string) ([]*registry.Service, error) {
	services, err := r.GetService(name, registry.GetContext(ctx))
	if errors.Is(err, registry.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(record.Copy(services), func(s *registry.Service) bool { return s == nil }), nil
}

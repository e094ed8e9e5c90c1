package builtin

import (
	"fmt"
	"slices"
	"strings"

	"github.com/rollcall-go/micro/registry"
	"github.com/rollcall-go/micro/registry/multi"
)

// ResolveRegistries returns the proper forms of the names in a list such as
// "consul,etcd", as Resolve does for one. One more comma at the end does no harm.
func ResolveRegistries(own map[string]NewRegistry, list string) ([]string, error) {
	if _, ok := own[list]; ok { // whatever a program called it
		return []string{list}, nil
	}
	items := strings.Split(list, ",")
	if last := len(items) - 1; last > 0 && strings.TrimSpace(items[last]) == "" {
		items = items[:last]
	}
	var names []string
	for i, item := range items {
		item = strings.TrimSpace(item)
		if item == "" {
			return nil, fmt.Errorf("name %d of %d is empty", i+1, len(items))
		}
		name, err := Resolve("registry", Registries(), own, item)
		if err != nil {
			if len(items) > 1 {
				err = fmt.Errorf("%q: %w", item, err)
			}
			return nil, err
		}
		if slices.Contains(names, name) {
			return nil, fmt.Errorf("%s is there twice; name each once", name)
		}
		names = append(names, name)
	}
	return names, nil
}

// OpenRegistry makes the registry of the names, of which own has the constructors:
// that of the name if there is one, or all of them as one registry. options returns
// what each is made with.
func OpenRegistry(own map[string]NewRegistry, names []string, options func(name string) []registry.Option) registry.Registry {
	made := make([]registry.Registry, len(names))
	for i, name := range names {
		made[i] = own[name](options(name)...)
	}
	if len(made) == 1 {
		return made[0]
	}
	return multi.NewRegistry(made...)
}

package operate

import (
	"cmp"
	"slices"

	"github.com/rollcall-go/micro/registry"
)

// Summary is one service at a glance.
type Summary struct {
	Name     string   `json:"name"`
	Versions []string `json:"versions"`
	Nodes    int      `json:"nodes"`  // that are registered
	Paused   int      `json:"paused"` // that an operator keeps out
}

// Summarize returns one Summary for each service of which a node is registered or
// paused, sorted by name. It is never nil.
func Summarize(services []*registry.Service, pauses []Pause) []Summary {
	all := make(map[string]*Summary)
	of := func(name string) *Summary {
		if all[name] == nil {
			all[name] = &Summary{Name: name, Versions: []string{}}
		}
		return all[name]
	}
	for _, s := range services {
		sum := of(s.Name)
		if !slices.Contains(sum.Versions, s.Version) {
			sum.Versions = append(sum.Versions, s.Version)
		}
		sum.Nodes += len(s.Nodes)
	}
	for _, p := range pauses {
		of(p.Service).Paused++
	}
	list := make([]Summary, 0, len(all))
	for _, sum := range all {
		list = append(list, *sum)
	}
	slices.SortFunc(list, func(a, b Summary) int { return cmp.Compare(a.Name, b.Name) })
	return list
}

func sortPauses(all []Pause) {
	slices.SortFunc(all, func(a, b Pause) int {
		return cmp.Or(cmp.Compare(a.Service, b.Service), cmp.Compare(a.Node, b.Node))
	})
}

package doctor

import (
	"maps"
	"slices"
)

// examineDuplicates looks for what should be one node's own.
func examineDuplicates(r *report, nodes []node) {
	ids, addresses := make(map[string][]string), make(map[string][]string)
	for _, n := range nodes {
		ids[n.id] = append(ids[n.id], n.name())
		addresses[n.address] = append(addresses[n.address], n.name())
	}
	for _, id := range slices.Sorted(maps.Keys(ids)) {
		if of := ids[id]; len(of) > 1 {
			r.warn("node.duplicate_id", names(of), "leave --server_id out, or give each service its own", "different services have nodes with the id %q", id)
		}
	}
	for _, address := range slices.Sorted(maps.Keys(addresses)) {
		if of := addresses[address]; len(of) > 1 && address != "" {
			r.warn("node.duplicate_address", names(of), "if one of them is what a crashed process left behind, it goes when its time to live ends; else see --server_advertise of both",
				"several nodes are registered at %s, and one process at most listens there", address)
		}
	}
}

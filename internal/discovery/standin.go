package discovery

import (
	"time"

	"github.com/rollcall-go/micro/internal/disk"
	"github.com/rollcall-go/micro/internal/feed"
	"github.com/rollcall-go/micro/registry"
)

// diskPatience is how long a registry that says nothing is waited for before the
// disk is asked. One that says that it cannot be reached is not waited for.
const diskPatience = time.Second

// missesRegistry reports, once, that the registry does not answer and the disk is
// to be asked.
func (v *view) missesRegistry(now time.Time) bool {
	switch {
	case v.patience.IsZero():
		return false
	case v.known || v.fatal:
		v.patience = time.Time{}
		return false
	case v.status.Err == nil && now.Before(v.patience):
		return false
	}
	v.patience = time.Time{}
	return true
}

// adopt takes over what an earlier process knew, unless the registry was faster or
// there is no node in it. It reports whether it did.
func (v *view) adopt(saved disk.Saved) bool {
	if v.known || !anyNode(saved.Services) {
		return false
	}
	v.known, v.seen, v.dirty = true, true, true
	v.fromDisk, v.savedAt = true, saved.Confirmed
	v.services = saved.Services
	return true
}

// missing returns the nodes of before that are not in after.
func missing(before, after []*registry.Service) []feed.Departure {
	there := map[string]bool{}
	for _, n := range nodesOf(after) {
		there[n.Id] = true
	}
	var gone []feed.Departure
	for _, s := range before {
		for _, n := range s.Nodes {
			if !there[n.Id] {
				gone = append(gone, feed.Departure{Service: s.Name, Version: s.Version, Node: n})
			}
		}
	}
	return gone
}

package balance

import (
	"time"

	"github.com/rollcall-go/micro/internal/defaults"
)

// Policy is what a client's options say of the nodes that it prefers. The zero value
// prefers none. It can be compared.
type Policy struct {
	// Zone is that of the client. Empty means that nodes of all zones are equal.
	Zone string
	// ZoneThreshold is how many healthy nodes the own zone has to have to get all
	// calls, in percent of what a zone has on average. Zero means
	// defaults.ZoneThreshold, less than zero that one is enough.
	ZoneThreshold int
	// Subset is how many nodes of a service are called, if it has more than
	// defaults.SubsetAbove. Zero means all.
	Subset int
	// WarmUp is the time in which the share of a new node grows to the full. Zero
	// means that it gets it at once.
	WarmUp time.Duration
}

// Threshold returns the threshold in force, in percent.
func (p Policy) Threshold() int {
	switch {
	case p.ZoneThreshold == 0:
		return defaults.ZoneThreshold
	case p.ZoneThreshold < 0:
		return 0
	default:
		return p.ZoneThreshold
	}
}

// SubsetOf returns how many of so many nodes are called.
func (p Policy) SubsetOf(nodes int) int {
	if p.Subset <= 0 || nodes <= defaults.SubsetAbove {
		return nodes
	}
	return min(p.Subset, nodes)
}

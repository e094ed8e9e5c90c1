package balance

import (
	"math"
	"strconv"
	"time"
)

// Setting is one field of a Policy as flags and variables have it.
type Setting struct {
	Flag    string // its name; the variable is the same in capitals behind MICRO_
	Usage   string
	Default string // in words
	Wants   string // what a value has to be
	// Set puts a value into the policy. It reports false if it is none.
	Set func(p *Policy, value string) bool
}

// Settings returns those of all fields.
func Settings() []Setting {
	const number = "want a whole number from 0 to 2147483647"
	return []Setting{
		{"client_zone", "zone of this process: nodes whose metadata have zone=ZONE are preferred", "none", "want a name",
			func(p *Policy, v string) bool { p.Zone = v; return true }},
		{"client_zone_threshold", "healthy nodes that the zone has to have to get all calls, in percent of what a zone has on average", "50", number,
			func(p *Policy, v string) bool {
				if v == "0" {
					p.ZoneThreshold = -1
					return true
				}
				return whole(v, &p.ZoneThreshold)
			}},
		{"client_subset", "nodes to call of each service that has more than 100", "all", number,
			func(p *Policy, v string) bool { return whole(v, &p.Subset) }},
		{"client_warmup", "time in which the share of a new node grows to the full, such as 30s", "none", "want a duration such as 500ms, 5s or 1m",
			func(p *Policy, v string) bool {
				d, err := time.ParseDuration(v)
				p.WarmUp = d
				return err == nil && d >= 0
			}},
	}
}

func whole(text string, n *int) bool {
	u, err := strconv.ParseUint(text, 10, 64)
	*n = int(min(u, math.MaxInt32))
	return err == nil && u <= math.MaxInt32
}

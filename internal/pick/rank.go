package pick

import "github.com/rollcall-go/micro/internal/endpoint"

// rank orders targets by how likely they are to answer.
type rank int

const (
	none rank = iota // there is no target
	silent
	failing
	ejected
	coming
	spare // it is ready, and its weight is 0 where others have some
	ready
)

// rank returns how likely t is to answer. A node that breaks its connections looks
// ready all the time; whether it counts as ejected depends on how many others are.
func (c *Call) rank(t Target) rank {
	r := stateRank(t.state())
	if r < coming || t.Conn == nil {
		return r
	}
	if load := t.Conn.Load(); load.MayBeEjected() && c.targets.ejects(load) {
		return ejected
	}
	return r
}

func stateRank(s endpoint.State) rank {
	switch s {
	case endpoint.Ready:
		return ready
	case endpoint.Failing:
		return failing
	case endpoint.Silent:
		return silent
	default:
		return coming
	}
}

// ejects reports whether a node is ejected. At most half of all nodes are, so that
// what breaks connections everywhere does not leave the calls to a few: those whose
// time ends first.
func (t *Targets) ejects(load *endpoint.Load) bool {
	until := load.Ejected()
	if until == 0 {
		return false
	}
	before := 0
	for i := range t.Live {
		if t.Live[i].Conn == nil {
			continue
		}
		other := t.Live[i].Conn.Load()
		if other == load || !other.MayBeEjected() {
			continue
		}
		if at := other.Ejected(); at != 0 && at < until {
			before++
		}
	}
	return before < len(t.Live)/2
}

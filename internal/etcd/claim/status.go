package claim

import "github.com/rollcall-go/micro/internal/ability"

// State and Status of a claim are those of the registration that it stands for.
type (
	State  = ability.State
	Status = ability.Status
)

const (
	// Absent: the key is not, or not known to be, in etcd under our lease. It is
	// put there as soon as that is possible.
	Absent = ability.Absent
	// Held: the key is in etcd under our lease.
	Held = ability.Held
	// Displaced: the key is under a lease that is not ours. Nothing is written
	// until it goes away.
	Displaced = ability.Displaced
	// Paused: an operator set the pause key. The key is deleted, and put back when
	// the pause key goes away.
	Paused = ability.Paused
	// Released: the claim was given up by Release.
	Released = ability.Released
)

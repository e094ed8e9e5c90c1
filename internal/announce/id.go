package announce

import (
	"sync/atomic"

	"github.com/google/uuid"
)

// IDs gives each server of a process that is given no id one of its own, so that two
// servers of one process and name are two nodes. The first gets Process.
type IDs struct {
	Process string // the default id of the process, as it was at the start
	taken   atomic.Bool
}

// Next returns the id of the process, once, and then generated ones.
func (i *IDs) Next() string {
	if i.taken.CompareAndSwap(false, true) {
		return i.Process
	}
	return uuid.NewString()
}

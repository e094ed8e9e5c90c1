package discovery

import (
	"time"

	"github.com/rollcall-go/micro/internal/disk"
)

// diskPatience is how long a registry that says nothing is waited for before the
// disk is asked. One that says that it cannot be reached is not waited for.
const diskPatience = time.Second

// wantsDisk reports, once, that the registry does not answer and the disk is
// to be asked.
func (v *view) wantsDisk(now time.Time) bool {
	switch {
	case v.diskAfter.IsZero():
		return false
	case v.known || v.fatal:
		v.diskAfter = time.Time{}
		return false
	case v.status.Err == nil && now.Before(v.diskAfter):
		return false
	}
	v.diskAfter, v.loading = time.Time{}, true
	return true
}

// loaded says that the disk was asked.
func (v *view) loaded() { v.loading, v.dirty = false, true }

// adopt takes over what an earlier process knew, unless the registry was faster or
// there is no node in it. It reports whether it did.
func (v *view) adopt(saved disk.Saved) bool {
	if v.known || !anyNode(saved.Services) {
		return false
	}
	v.known, v.seen, v.dirty = true, true, true
	v.fromDisk, v.savedAt = true, saved.Confirmed
	v.services = saved.Services
	v.events = append(v.events, Event{Kind: TookDisk})
	return true
}

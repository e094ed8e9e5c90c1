package discovery

import (
	"slices"

	"github.com/rollcall-go/micro/internal/feed"
)

// waiting are the updates that a view has not taken over yet, as one. The zero value is
// none.
type waiting struct {
	any    bool
	update feed.Update
	late   []feed.LateUpdate // that update is to be made of; its Services are older
}

// add adds an update, which is about everything.
func (w *waiting) add(u feed.Update) {
	w.apply() // for those that left
	u.Gap = u.Gap || w.update.Gap
	u.Departed = slices.Concat(w.update.Departed, u.Departed)
	w.any, w.update = true, u
}

// addLate adds an update that is to be worked into the view.
func (w *waiting) addLate(u feed.LateUpdate) {
	w.any = true
	w.late = append(w.late, u)
}

// apply works the late updates into the view.
func (w *waiting) apply() {
	for i, u := range w.late {
		w.update.Departed = append(w.update.Departed, u.Apply()...)
		w.update.Gap = w.update.Gap || u.Gap
		if i == len(w.late)-1 {
			w.update.Services, w.update.Revision = u.View(), u.Revision
		}
	}
	w.late = nil
}

// take returns what waits, and reports false if nothing does.
func (w *waiting) take() (feed.Update, bool) {
	if !w.any {
		return feed.Update{}, false
	}
	w.apply()
	u := w.update
	if len(u.Departed) > 1 {
		u.Departed = lastOfEach(u.Departed)
	}
	*w = waiting{}
	return u, true
}

// lastOfEach returns the last departure of each node: one may have left, come back
// and left again.
func lastOfEach(departed []feed.Departure) []feed.Departure {
	type id struct{ service, node string }
	seen := make(map[id]bool, len(departed))
	var last []feed.Departure
	for _, d := range slices.Backward(departed) {
		if key := (id{d.Service, d.Node.Id}); !seen[key] {
			seen[key] = true
			last = append(last, d)
		}
	}
	slices.Reverse(last)
	return last
}

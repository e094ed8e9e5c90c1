package feed

import (
	"reflect"
	"slices"
	"time"

	"github.com/rollcall-go/micro/internal/record"
	"github.com/rollcall-go/micro/registry"
)

// replace makes services, with the events that came while they were read, the
// present view.
func (f *adapterSession) replace(services []*registry.Service, missed ...*registry.Result) {
	there := make(map[record.ID]bool)
	for _, s := range services {
		for _, one := range record.Split(s) {
			there[record.ID{Service: one.Name, Node: one.Nodes[0].Id}] = true
			f.set(one)
		}
	}
	for _, id := range f.view.IDs() {
		if !there[id] {
			f.view.Delete(id)
		}
	}
	for _, r := range missed {
		f.apply(r)
	}
	f.confirmed = time.Now()
	// What a reading no longer shows was not seen to go.
	f.send(f.known)
}

// apply works one event into the view. It keeps no part of r.
func (f *adapterSession) apply(r *registry.Result) { Apply(&f.view, f.name, r) }

// set puts a record into the view unless it is there already.
func (f *adapterSession) set(one *registry.Service) { put(&f.view, one) }

// Apply works one event about a service of the name, or any if that is empty, into a
// view, and returns the nodes that it was about. It keeps no part of r.
func Apply(v *record.View, name string, r *registry.Result) (about []record.ID) {
	if r == nil || r.Service == nil || r.Service.Name == "" || name != "" && r.Service.Name != name {
		return nil
	}
	s := record.CopyService(r.Service)
	if r.Action != registry.Delete.String() {
		for _, one := range record.Split(s) {
			put(v, one)
			about = append(about, record.ID{Service: one.Name, Node: one.Nodes[0].Id})
		}
		return about
	}
	for _, n := range s.Nodes {
		if n != nil {
			about = append(about, record.ID{Service: s.Name, Node: n.Id})
		}
	}
	if len(s.Nodes) == 0 { // a service without nodes stands for all of them
		about = slices.DeleteFunc(v.IDs(), func(id record.ID) bool { return id.Service != s.Name })
	}
	for _, id := range about {
		// A node that lives on under another version is not meant.
		if known := v.Get(id); known != nil && (s.Version == "" || s.Version == known.Version) {
			v.Delete(id)
		}
	}
	return about
}

// put puts a record into the view unless it is there already, so that what did not
// change stays the same to the last pointer.
func put(v *record.View, one *registry.Service) {
	old := v.Get(record.ID{Service: one.Name, Node: one.Nodes[0].Id})
	if !reflect.DeepEqual(old, one) {
		v.Set(one)
	}
}

// send hands the view to the sink if it differs from what the sink knows.
func (f *adapterSession) send(gap bool) {
	services := f.view.Services()
	if f.known && slices.Equal(services, f.sent) {
		return
	}
	u := Update{Services: services, Gap: gap, Departed: Departed(f.sent, services)}
	f.sent, f.known = services, true
	f.sink.Update(u)
}

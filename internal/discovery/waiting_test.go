package discovery

import (
	"fmt"
	"testing"

	"github.com/rollcall-go/micro/internal/feed"
	"github.com/rollcall-go/micro/registry"
)

// Updates that wait become one: each late one is applied once, in order, and one view is
// made, of the last. What left with any of them is told, of each node the last departure.
func TestWaitingUpdatesBecomeOne(t *testing.T) {
	var log string
	left := func(id string, cause feed.Cause) []feed.Departure {
		if id == "" {
			return nil
		}
		return []feed.Departure{{Service: "s", Node: &registry.Node{Id: id}, Cause: cause}}
	}
	view := func(name string) []*registry.Service { return []*registry.Service{{Name: name}} }
	late := func(name, gone string, cause feed.Cause, gap bool) feed.LateUpdate {
		return feed.LateUpdate{
			Apply: func() []feed.Departure { log += name; return left(gone, cause) },
			View:  func() []*registry.Service { log += "=" + name + " "; return view(name) },
			Gap:   gap, Revision: int64(len(name)),
		}
	}
	whole := func(name, gone string) feed.Update {
		return feed.Update{Services: view(name), Departed: left(gone, feed.Deleted)}
	}
	for _, c := range []struct {
		what            string
		fill            func(w *waiting)
		log, view, left string
		gap             bool
	}{
		{"nothing", func(*waiting) {}, "", "", "", false},
		{"three late", func(w *waiting) {
			w.addLate(late("a", "1", feed.Expired, false))
			w.addLate(late("b", "", 0, true))
			w.addLate(late("c", "2", feed.Expired, false))
		}, "abc=c ", "c", "1:expired 2:expired ", true},
		{"a node that left twice", func(w *waiting) {
			w.addLate(late("a", "1", feed.Expired, false))
			w.addLate(late("b", "1", feed.Deleted, false))
		}, "ab=b ", "b", "1:deleted ", false},
		{"a whole one after late ones", func(w *waiting) {
			w.addLate(late("a", "1", feed.Expired, true))
			w.add(whole("b", "2"))
		}, "a=a ", "b", "1:expired 2:deleted ", true},
		{"late ones after a whole one", func(w *waiting) {
			w.add(whole("a", "1"))
			w.addLate(late("b", "2", feed.Expired, false))
			w.addLate(late("c", "", 0, false))
		}, "bc=c ", "c", "1:deleted 2:expired ", false},
	} {
		t.Run(c.what, func(t *testing.T) {
			log = ""
			var w waiting
			c.fill(&w)
			u, ok := w.take()
			var name, departed string
			if len(u.Services) > 0 {
				name = u.Services[0].Name
			}
			for _, d := range u.Departed {
				departed += fmt.Sprint(d.Node.Id, ":", d.Cause, " ")
			}
			if log != c.log || name != c.view || departed != c.left || u.Gap != c.gap || ok != (c.view != "") {
				t.Errorf("did %q, view %q, left %q, gap %v, any %v; want %q, %q, %q, %v", log, name, departed, u.Gap, ok, c.log, c.view, c.left, c.gap)
			}
			if _, ok := w.take(); ok {
				t.Error("there is something left")
			}
		})
	}
}

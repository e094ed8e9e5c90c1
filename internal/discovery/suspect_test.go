package discovery

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-go/micro/internal/feed"
	"github.com/rollcall-go/micro/registry"
)

// world drives a view by hand: it keeps what is registered and turns each change
// of it into an update.
type world struct {
	t     *testing.T
	v     view
	now   time.Time
	nodes []string // registered ids
	asked []string // ids that the Resolver was asked about, not answered yet
	ask   []feed.Departure
}

// departure says why the node left by how its id begins.
func departure(id string) feed.Departure {
	d := feed.Departure{Service: "s", Version: "1", Node: node(id)}
	switch {
	case strings.HasPrefix(id, "del"):
		d.Cause = feed.Deleted
	case strings.HasPrefix(id, "van"):
		d.Cause = feed.Vanished
	case strings.HasPrefix(id, "exp"):
		d.Cause = feed.Expired
	}
	return d
}

func node(id string) *registry.Node {
	id, address, moved := strings.Cut(id, "@")
	if !moved {
		address = id + ":1"
	}
	return &registry.Node{Id: id, Address: address}
}

func newWorld(t *testing.T, off bool, ids ...string) *world {
	w := &world{t: t, now: time.Unix(1000, 0)}
	w.v.policy = suspectPolicy{off: off, window: 10 * time.Second, keep: time.Minute, retry: time.Second, recheck: 2 * time.Second}
	w.set(false, ids...)
	return w
}

func (w *world) set(gap bool, ids ...string) {
	u := feed.Update{Gap: gap, Revision: w.v.revision + 1}
	if len(ids) > 0 {
		s := &registry.Service{Name: "s", Version: "1", Metadata: map[string]string{"of": "s"}}
		for _, id := range ids {
			s.Nodes = append(s.Nodes, node(id))
		}
		u.Services = []*registry.Service{s}
	}
	for _, id := range w.nodes {
		if !slices.Contains(ids, id) {
			u.Departed = append(u.Departed, departure(id))
		}
	}
	w.nodes = ids
	w.v.update(w.now, u)
	w.tick()
}

func (w *world) tick() {
	ask, _ := w.v.tick(w.now)
	for _, d := range ask {
		w.ask, w.asked = append(w.ask, d), append(w.asked, d.Node.Id)
	}
}

func (w *world) pass(d time.Duration) { w.now = w.now.Add(d); w.tick() }

func (w *world) answer(cause feed.Cause, err error) {
	all := slices.Repeat([]feed.Cause{cause}, len(w.ask))
	about := w.ask
	w.ask, w.asked = nil, nil
	w.v.resolve(w.now, about, all, err)
	w.tick()
}

func (w *world) want(suspects, asked string) {
	w.t.Helper()
	var s Snapshot
	w.v.fill(&s)
	var got []string
	for _, n := range s.Suspects {
		got = append(got, n.Id)
	}
	slices.Sort(got)
	slices.Sort(w.asked)
	if strings.Join(got, " ") != suspects || strings.Join(w.asked, " ") != asked {
		w.t.Fatalf("suspects %q, asked about %q; want %q, %q", got, w.asked, suspects, asked)
	}
	if len(s.Nodes) != len(w.nodes) || count(s.Routing) != len(w.nodes)+len(got) {
		w.t.Fatalf("%d nodes, %d routed; want %d, %d", len(s.Nodes), count(s.Routing), len(w.nodes), len(w.nodes)+len(got))
	}
}

func TestSuspects(t *testing.T) {
	away := errors.New("out of reach")
	tests := []struct {
		name  string
		nodes string
		run   func(w *world)
	}{
		{"half is believed", "a b c d", func(w *world) {
			w.set(false, "c", "d")
			w.want("", "")
		}},
		{"one of one is asked about and kept meanwhile", "a", func(w *world) {
			w.set(false)
			w.want("a", "a")
			w.answer(feed.Deleted, nil)
			w.want("", "")
		}},
		{"the last one is kept if it expired", "a van1", func(w *world) {
			w.set(false, "a")
			w.answer(feed.Expired, nil)
			w.want("", "")
			w.pass(time.Minute)
			w.set(false)
			w.want("a", "a")
			w.answer(feed.Expired, nil)
			w.want("a", "")
			w.v.failed("a:1")
			w.want("", "")
		}},
		{"one of one that turns out to have expired is kept", "van1", func(w *world) {
			w.set(false)
			w.answer(feed.Expired, nil)
			w.want("van1", "")
		}},
		{"more than half is asked about and kept meanwhile", "a b c", func(w *world) {
			w.set(false, "c")
			w.want("a b", "a b")
		}},
		{"expired leases leave suspects", "a b c", func(w *world) {
			w.set(false)
			w.answer(feed.Expired, nil)
			w.want("a b c", "")
		}},
		{"living leases mean a deliberate delete", "a b c", func(w *world) {
			w.set(false)
			w.answer(feed.Deleted, nil)
			w.want("", "")
		}},
		{"deliberate deletes do not count on", "a b c d e", func(w *world) {
			w.set(false, "d", "e")
			w.answer(feed.Deleted, nil)
			w.set(false, "e")
			w.want("", "")
		}},
		{"losses of the last ten seconds come back", "a b c d", func(w *world) {
			w.set(false, "b", "c", "d")
			w.want("", "")
			w.pass(4 * time.Second)
			w.set(false, "c", "d")
			w.want("", "")
			w.pass(4 * time.Second)
			w.set(false, "d")
			w.want("a b c", "a b c")
			w.answer(feed.Expired, nil)
			w.set(false)
			w.want("a b c d", "d")
		}},
		{"older losses do not", "a b c d", func(w *world) {
			w.set(false, "b", "c", "d")
			w.pass(10 * time.Second)
			w.set(false, "c", "d")
			w.want("", "")
		}},
		{"deleted is deliberate", "del1 del2 del3", func(w *world) {
			w.set(false)
			w.want("", "")
		}},
		{"a gap makes suspects of any number, without asking", "a b c", func(w *world) {
			w.set(true, "a", "b")
			w.want("c", "")
			w.set(true, "b")
			w.want("a c", "")
		}},
		{"a gap does not hide who said that it leaves", "a del1", func(w *world) {
			w.set(true, "a")
			w.want("", "")
		}},
		{"a gap is asked about where the backend wants to be", "a van1", func(w *world) {
			w.set(true, "a")
			w.want("van1", "van1")
			w.answer(feed.Expired, nil)
			w.want("van1", "")
		}},
		{"many that expired are kept without asking", "a exp1 exp2 exp3", func(w *world) {
			w.set(false, "a", "exp2", "exp3")
			w.want("", "")
			w.set(false, "a", "exp3")
			w.want("", "")
			w.set(false, "a")
			w.want("exp1 exp2 exp3", "")
		}},
		{"who vanished without a word is kept, however few", "a b van1", func(w *world) {
			w.set(false, "a", "b")
			w.want("van1", "van1")
			w.answer(feed.Vanished, nil)
			w.want("van1", "")
			w.set(false, "a", "b", "van1")
			w.want("", "")
		}},
		{"who vanished and turns out to have expired is believed", "a b van1", func(w *world) {
			w.set(false, "a", "b")
			w.answer(feed.Expired, nil)
			w.want("", "")
		}},
		{"unless many did", "a van1 van2", func(w *world) {
			w.set(false, "a")
			w.answer(feed.Expired, nil)
			w.want("van1 van2", "")
		}},
		{"a suspect that is paused is dropped", "a van1", func(w *world) {
			w.set(false, "a")
			w.answer(feed.Vanished, nil)
			w.pass(2 * time.Second)
			w.want("van1", "van1")
			w.answer(feed.Deleted, nil)
			w.want("", "")
		}},
		{"registered again", "a b c", func(w *world) {
			w.set(true)
			w.want("a b c", "")
			w.set(false, "b")
			w.want("a c", "")
		}},
		{"registered again does not count as lost", "a b c d", func(w *world) {
			w.set(false, "b", "c", "d")
			w.set(false, "a", "b", "c", "d")
			w.set(false, "b", "c", "d")
			w.set(false, "a", "b", "c", "d")
			w.set(false, "c", "d")
			w.want("", "")
		}},
		{"the address belongs to a newer node", "a@h:1 b@h:2", func(w *world) {
			w.set(true)
			w.want("a b", "")
			w.set(false, "c@h:1")
			w.want("b", "")
		}},
		{"the Resolver cannot tell", "a b", func(w *world) {
			w.set(false)
			w.answer(feed.Unknown, away)
			w.want("a b", "")
			w.pass(time.Second)
			w.want("a b", "a b")
			w.answer(feed.Deleted, nil)
			w.want("", "")
		}},
		{"the first failed dial", "a b", func(w *world) {
			w.set(true)
			w.v.failed("a:1")
			w.want("b", "")
		}},
		{"a failed dial before the verdict", "a b", func(w *world) {
			w.set(false)
			w.v.failed("a:1")
			w.answer(feed.Expired, nil)
			w.want("b", "")
		}},
		{"a registered node that fails stays", "a b", func(w *world) {
			w.v.failed("a:1")
			w.want("", "")
		}},
		{"a minute", "a b", func(w *world) {
			w.set(true)
			w.pass(time.Minute - 1)
			w.want("a b", "")
			w.pass(1)
			w.want("", "")
		}},
		{"no time passes while the registry is away", "a b", func(w *world) {
			w.set(true)
			w.v.setStatus(w.now, feed.Status{Err: away})
			w.pass(time.Hour)
			w.want("a b", "")
			w.v.setStatus(w.now, feed.Status{Live: true})
			w.pass(59 * time.Second)
			w.want("a b", "")
			w.pass(time.Second)
			w.want("", "")
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.run(newWorld(t, false, strings.Fields(tt.nodes)...))
		})
	}
}

func TestSuspectsOff(t *testing.T) {
	w := newWorld(t, true, "a", "b", "c")
	w.set(true, "c")
	w.want("", "")
	w.set(false)
	w.want("", "")
}

func TestSuspectKeepsItsRecord(t *testing.T) {
	w := newWorld(t, false, "a", "b")
	w.set(true)
	var s Snapshot
	w.v.fill(&s)
	if len(s.Services) != 0 || len(s.Routing) != 1 || s.Routing[0].Metadata["of"] != "s" || len(s.Routing[0].Nodes) != 2 {
		t.Fatalf("routing view %+v, registry view %+v", s.Routing, s.Services)
	}
	if fmt.Sprint(s.Seen, s.Known) != "true true" {
		t.Fatal("the service counts as never seen")
	}
}

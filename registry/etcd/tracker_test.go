package etcd

import (
	"strings"
	"sync/atomic"
	"testing"

	"github.com/rollcall-go/micro/internal/etcd/layout"
	"github.com/rollcall-go/micro/internal/etcd/mirror"
	"github.com/rollcall-go/micro/internal/feed"
	"github.com/rollcall-go/micro/internal/record"
	"github.com/rollcall-go/micro/registry"
)

// events makes an event each from "name node address", a delete from "-name node".
// Nodes whose id begins with "ours" bear our mark; the address "leaving" makes a
// farewell.
func events(t *testing.T, texts ...string) []mirror.Event {
	t.Helper()
	var out []mirror.Event
	for i, text := range texts {
		name, gone := strings.CutPrefix(text, "-")
		f := strings.Fields(name)
		e := mirror.Event{Deleted: gone, Entry: mirror.Entry{Key: layout.Layout{}.Node(f[0], f[1]), Lease: 7, ModRevision: int64(i + 1)}}
		switch {
		case gone:
		case f[2] == "poison":
			e.Entry.Value = []byte("{")
		default:
			n := &registry.Node{Id: f[1], Address: f[2]}
			if strings.HasPrefix(n.Id, "ours") {
				n.Metadata = map[string]string{record.Mark: "1"}
			}
			v, err := layout.Encode(&registry.Service{Name: f[0], Version: "1"}, n)
			if err != nil {
				t.Fatal(err)
			}
			if f[2] == "leaving" {
				v = layout.MarkLeaving(v)
			}
			e.Entry.Value = v
		}
		out = append(out, e)
	}
	return out
}

func said(steps []step) string {
	var out []string
	for _, s := range steps {
		switch {
		case s.was == nil:
			out = append(out, "+"+s.is.id().Service+"/"+s.is.id().Node)
		case s.is == nil:
			out = append(out, "-"+s.was.id().Service+"/"+s.was.id().Node)
		default:
			out = append(out, "~"+s.is.id().Service+"/"+s.is.id().Node)
		}
	}
	return strings.Join(out, " ")
}

func TestTracker(t *testing.T) {
	type change struct {
		c    mirror.Change
		want string
	}
	first := func(texts ...string) mirror.Change {
		return mirror.Change{First: true, Reset: true, Events: events(t, texts...)}
	}
	live := func(texts ...string) mirror.Change { return mirror.Change{Events: events(t, texts...)} }
	for _, tc := range []struct {
		what    string
		name    string
		changes []change
	}{
		{"all in order", "", []change{
			{first("s a 1", "s b 1"), "+s/a +s/b"},
			{live("s c 1", "s a 2", "-s b"), "+s/c ~s/a -s/b"},
			{live("-s b"), ""},
			{live("s a 2"), "~s/a"},
			{mirror.Change{Reset: true, Events: events(t, "s a 2", "-s c")}, "~s/a -s/c"},
		}},
		{"another first listing is a difference", "", []change{
			{first("s a 1", "s b 1", "s c 1"), "+s/a +s/b +s/c"},
			{first("s a 1", "s d 1"), "+s/d -s/b -s/c"},
			{first(), "-s/a -s/d"},
		}},
		{"poison is nothing", "", []change{
			{first("s a 1", "s b poison"), "+s/a"},
			{live("s a poison"), "-s/a"},
			{live("-s a", "-s b"), ""},
			{live("s a 1"), "+s/a"},
			{first("s a poison"), "-s/a"},
		}},
		{"names apart", "a/b", []change{
			{first("a/b x 1", "a-b y 1"), "+a/b/x"},
			{live("a-b x 1"), "-a/b/x"},
			{live("a/b x 1"), "+a/b/x"},
			{live("-a/b x"), "-a/b/x"},
		}},
		{"a key passes on", "", []change{
			{first("a/b x 1"), "+a/b/x"},
			{live("a-b x 1"), "-a/b/x +a-b/x"},
		}},
	} {
		t.Run(tc.what, func(t *testing.T) {
			tr := tracker{name: tc.name, skipped: new(atomic.Int64)}
			for i, c := range tc.changes {
				if got := said(tr.apply(c.c)); got != c.want {
					t.Errorf("change %d: got %q, want %q", i+1, got, c.want)
				}
			}
		})
	}
}

// Who writes a record again as it is, as v2's programs and a new lease make one do, costs
// no second copy beside the one that views have.
func TestTrackerKeepsWhatIsWrittenAgain(t *testing.T) {
	for _, first := range []bool{false, true} {
		tr := tracker{skipped: new(atomic.Int64)}
		before := tr.apply(mirror.Change{First: true, Reset: true, Events: events(t, "s a 1")})[0].is
		again := events(t, "s a 1")
		again[0].Entry.Lease = 8
		after := tr.apply(mirror.Change{First: first, Reset: first, Events: again})[0].is
		if after.node != before.node || after.head != before.head {
			t.Errorf("first listing %v: the record is there twice", first)
		}
		if after.lease != 8 || tr.rows[0].lease != 8 {
			t.Errorf("first listing %v: its lease is %d, in the table %d", first, after.lease, tr.rows[0].lease)
		}
	}
}

type updates []feed.Update

func (u *updates) Update(n feed.Update) { *u = append(*u, n) }
func (u *updates) Status(feed.Status)   {}

// A node of ours says that it leaves; if it did not, its record was taken from it.
func TestFollowerTellsWhyNodesLeft(t *testing.T) {
	for _, tc := range []struct {
		what   string
		change mirror.Change
		node   string
		want   feed.Departure
	}{
		{"v2's, deleted", mirror.Change{Events: events(t, "-s a")}, "a", feed.Departure{Cause: feed.Unknown, Token: token{7}}},
		{"ours, without a word", mirror.Change{Events: events(t, "-s ours")}, "ours", feed.Departure{Cause: feed.Vanished, Token: token{7}}},
		{"ours, after a farewell", mirror.Change{Events: events(t, "s ours leaving", "-s ours")}, "ours", feed.Departure{Cause: feed.Deleted}},
		{"ours, after a farewell alone", mirror.Change{Events: events(t, "s ours leaving")}, "ours", feed.Departure{Cause: feed.Deleted}},
		{"ours, a farewell in a listing", mirror.Change{First: true, Reset: true, Events: events(t, "s a 1", "s ours leaving")}, "ours", feed.Departure{Cause: feed.Deleted}},
		{"ours, lost in a gap", mirror.Change{Reset: true, Events: events(t, "-s ours")}, "ours", feed.Departure{Cause: feed.Vanished, Token: token{}}},
	} {
		t.Run(tc.what, func(t *testing.T) {
			var got updates
			f := &follower{sink: &got, tracker: tracker{skipped: new(atomic.Int64)}}
			f.Change(mirror.Change{First: true, Reset: true, Events: events(t, "s a 1", "s ours 1")})
			f.Change(tc.change)
			last := got[len(got)-1]
			if len(last.Departed) != 1 || last.Departed[0].Node.Id != tc.node || last.Departed[0].Cause != tc.want.Cause || last.Departed[0].Token != tc.want.Token {
				t.Errorf("departed are %+v, want %s, %v, %+v", last.Departed, tc.node, tc.want.Cause, tc.want.Token)
			}
			f.Change(mirror.Change{Events: events(t, "s ours 1", "s a 1")})
			if n := len(got[len(got)-1].Services[0].Nodes); n != 2 {
				t.Errorf("%d nodes after both came back", n)
			}
		})
	}
}

func TestFollowerTellsDeparturesAndGaps(t *testing.T) {
	var got updates
	f := &follower{sink: &got, tracker: tracker{skipped: new(atomic.Int64)}}
	f.Change(mirror.Change{First: true, Reset: true, Revision: 5})
	f.Change(mirror.Change{Revision: 6, Events: events(t, "s a 1", "s b 1")})
	f.Change(mirror.Change{Revision: 7, Events: events(t, "s c poison", "s a 1")}) // nothing came of it
	f.Change(mirror.Change{Revision: 8, Events: events(t, "-s a")})
	f.Change(mirror.Change{Revision: 3, Reset: true, Events: events(t, "-s b", "s c 1")})
	for i, want := range []struct {
		nodes    int
		revision int64
		gap      bool
		departed string
		cause    feed.Cause
		token    any
	}{{0, 5, false, "", 0, nil}, {2, 6, false, "", 0, nil}, {1, 8, false, "a", feed.Unknown, token{7}}, {1, 3, true, "b", feed.Vanished, token{}}} {
		u := got[i]
		nodes := 0
		for _, s := range u.Services {
			nodes += len(s.Nodes)
		}
		departed := ""
		for _, d := range u.Departed {
			departed += d.Node.Id
			if d.Cause != want.cause || d.Token != want.token || d.Service != "s" || d.Version != "1" {
				t.Errorf("update %d: departure %+v lacks something", i+1, d)
			}
		}
		if nodes != want.nodes || u.Revision != want.revision || u.Gap != want.gap || departed != want.departed {
			t.Errorf("update %d is %+v, want %+v", i+1, u, want)
		}
	}
	if len(got) != 4 {
		t.Errorf("%d updates, want 4", len(got))
	}
}

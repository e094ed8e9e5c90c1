package record

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/registry"
)

func TestMain(m *testing.M) { testkit.Main(m) }

func full() *registry.Service {
	return &registry.Service{
		Name: "s", Version: "1", Metadata: map[string]string{"m": "1"},
		Endpoints: []*registry.Endpoint{{
			Name:     "E",
			Request:  &registry.Value{Name: "r", Values: []*registry.Value{{Name: "v"}}},
			Metadata: map[string]string{"e": "1"},
		}},
		Nodes: []*registry.Node{{Id: "n", Address: "a:1", Metadata: map[string]string{"n": "1"}}},
	}
}

func TestCopySharesNothing(t *testing.T) {
	original := full()
	c := Copy([]*registry.Service{original})[0]
	if !reflect.DeepEqual(c, original) {
		t.Fatalf("the copy %+v differs from %+v", c, original)
	}
	c.Metadata["m"] = "x"
	c.Endpoints[0].Name = "x"
	c.Endpoints[0].Request.Values[0].Name = "x"
	c.Endpoints[0].Metadata["e"] = "x"
	c.Nodes[0].Address = "x"
	c.Nodes[0].Metadata["n"] = "x"
	if !reflect.DeepEqual(original, full()) {
		t.Errorf("changing the copy changed the original: %+v", original)
	}
}

func TestCopyKeepsNilAndEmptyApart(t *testing.T) {
	for _, s := range []*registry.Service{
		{},
		{Metadata: map[string]string{}, Endpoints: []*registry.Endpoint{}, Nodes: []*registry.Node{}},
		{Endpoints: []*registry.Endpoint{nil, {}}, Nodes: []*registry.Node{nil, {}}},
	} {
		if c := CopyService(s); !reflect.DeepEqual(c, s) {
			t.Errorf("the copy of %#v is %#v", s, c)
		}
	}
	if Copy(nil) != nil || CopyService(nil) != nil || CopyNode(nil) != nil {
		t.Error("the copy of nil is not nil")
	}
}

func TestCopyShallowMayBeCut(t *testing.T) {
	original := []*registry.Service{{Name: "s", Nodes: []*registry.Node{{Id: "a"}, {Id: "b"}}}}
	c := CopyShallow(original)
	slices.Reverse(c[0].Nodes)
	c[0].Nodes = c[0].Nodes[:1]
	if n := original[0].Nodes; len(n) != 2 || n[0].Id != "a" {
		t.Error("cutting the copy cut the original")
	}
	if c[0].Nodes[0] != original[0].Nodes[1] {
		t.Error("the nodes are copies, want them shared")
	}
}

// one makes a record from "name version node".
func one(text string) *registry.Service {
	f := strings.Fields(text)
	return &registry.Service{Name: f[0], Version: f[1], Nodes: []*registry.Node{{Id: f[2]}}}
}

func outline(services []*registry.Service) string {
	var out []string
	for _, s := range services {
		var ids []string
		for _, n := range s.Nodes {
			ids = append(ids, n.Id)
		}
		out = append(out, fmt.Sprintf("%s@%s[%s]", s.Name, s.Version, strings.Join(ids, " ")))
	}
	return strings.Join(out, " ")
}

func TestGroup(t *testing.T) {
	records := []*registry.Service{one("b 2 y"), one("a 1 z"), one("b 1 x"), one("b 2 w"), one("s 2 a"), one("s2 0 a")}
	records[0].Metadata = map[string]string{"of": "the first"}
	got := Group(records)
	if o, want := outline(got), "a@1[z] b@1[x] b@2[w y] s@2[a] s2@0[a]"; o != want {
		t.Errorf("got %s, want %s", o, want)
	}
	if got[2].Metadata["of"] != "the first" {
		t.Errorf("metadata of the group is %v, want that of its first record", got[2].Metadata)
	}
	if len(records[0].Nodes) != 1 {
		t.Error("grouping changed a record")
	}
}

func TestViewEqualsGroup(t *testing.T) {
	var v View
	if v.Services() != nil || v.Get(ID{"a", "b"}) != nil {
		t.Fatal("the zero view is not empty")
	}
	v.Delete(ID{"a", "b"})
	records := []*registry.Service{one("b 2 y"), one("a 1 z"), one("b 1 x"), one("b 2 w")}
	for _, r := range records {
		v.Set(r)
	}
	if got, want := outline(v.Services()), outline(Group(records)); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got, want := outline(v.Named("b")), "b@1[x] b@2[w y]"; got != want {
		t.Errorf("got %s of b, want %s", got, want)
	}
	if got := outline(v.Named("aa")); got != "" {
		t.Errorf("got %s of aa, want nothing", got)
	}
	v.Set(one("b 1 y")) // moves from version 2
	v.Delete(ID{"a", "z"})
	if got, want := outline(v.Services()), "b@1[x y] b@2[w]"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got, want := fmt.Sprint(v.IDs()), "[{b w} {b x} {b y}]"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestViewListsAreImmutable(t *testing.T) {
	var v View
	v.Set(one("a 1 x"))
	v.Set(one("b 1 x"))
	before := v.Services()
	a := before[0]
	v.Set(one("b 1 y"))
	v.Set(one("c 1 x"))
	if got, want := outline(before), "a@1[x] b@1[x]"; got != want {
		t.Errorf("an older list became %s, want %s", got, want)
	}
	after := v.Services()
	if after[0] != a {
		t.Error("a group that did not change was made anew")
	}
	if &v.Services()[0] != &after[0] {
		t.Error("a list without change was made anew")
	}
	v.Delete(ID{"a", "x"})
	v.Delete(ID{"b", "x"})
	v.Delete(ID{"b", "y"})
	v.Delete(ID{"c", "x"})
	if got := v.Services(); len(got) != 0 {
		t.Errorf("got %s, want nothing", outline(got))
	}
}

func TestSplit(t *testing.T) {
	s := full()
	s.Nodes = append(s.Nodes, nil, &registry.Node{Id: "m"})
	if got, want := outline(Split(s)), "s@1[n] s@1[m]"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// A view that was changed step by step lists what Group makes of its records.
func TestViewByStepsEqualsGroup(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	var v View
	held := map[ID]*registry.Service{}
	for step := range 3000 {
		r := one(fmt.Sprintf("%c %d n%02d", 'a'+rune(random.IntN(2)), random.IntN(2), random.IntN(40)))
		r.Nodes[0].Address = fmt.Sprint(step)
		id := ID{r.Name, r.Nodes[0].Id}
		if random.IntN(3) == 0 {
			v.Delete(id)
			delete(held, id)
		} else {
			v.Set(r)
			held[id] = r
		}
		if random.IntN(2) == 0 {
			continue // several changes between two lists
		}
		want := Group(slices.Collect(maps.Values(held)))
		if got := v.Services(); !reflect.DeepEqual(got, want) && len(got)+len(want) > 0 {
			t.Fatalf("step %d: got %s, want %s", step, outline(got), outline(want))
		}
	}
}

// Listing after each of many changes compares no more than what changed.
func TestViewListsManyNodesOneByOne(t *testing.T) {
	var v View
	const nodes = 8000
	for i := range nodes {
		v.Set(one(fmt.Sprintf("s 1 n%05d", (i*7919)%nodes)))
		if got := v.Services(); len(got[0].Nodes) != i+1 {
			t.Fatalf("%d nodes after %d", len(got[0].Nodes), i+1)
		}
	}
	if !slices.IsSortedFunc(v.Services()[0].Nodes, func(a, b *registry.Node) int { return strings.Compare(a.Id, b.Id) }) {
		t.Error("the nodes are not sorted")
	}
}

func BenchmarkViewOneByOne(b *testing.B) {
	for _, nodes := range []int{2000, 4000, 8000} {
		b.Run(fmt.Sprint(nodes), func(b *testing.B) {
			for b.Loop() {
				var v View
				for i := range nodes {
					v.Set(one(fmt.Sprintf("s 1 n%05d", (i*7919)%nodes)))
					v.Services()
				}
			}
		})
	}
}

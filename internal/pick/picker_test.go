package pick

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-go/micro/client/selector"
	"github.com/rollcall-go/micro/internal/discovery"
	"github.com/rollcall-go/micro/internal/endpoint"
	"github.com/rollcall-go/micro/internal/feed"
	"github.com/rollcall-go/micro/internal/refusal"
	"github.com/rollcall-go/micro/registry"
)

// script is a source that supplies the given updates and status, then waits.
type script struct {
	updates []feed.Update
	status  *feed.Status
}

func (s script) Follow(ctx context.Context, _ string, sink feed.Sink) error {
	if s.status != nil {
		sink.Status(*s.status)
	}
	for _, u := range s.updates {
		sink.Update(u)
	}
	<-ctx.Done()
	return nil
}

func node(id string) *registry.Node {
	return &registry.Node{Id: id, Address: id + ":1", Metadata: map[string]string{"id": id}}
}

// service makes one of a text like "1.0: a b".
func service(text string) *registry.Service {
	version, ids, _ := strings.Cut(text, ":")
	s := &registry.Service{Name: "s", Version: version}
	for _, id := range strings.Fields(ids) {
		s.Nodes = append(s.Nodes, node(id))
	}
	return s
}

// snapshot returns one with the given versions, and with the given suspects.
func snapshot(t *testing.T, suspects string, versions ...string) *discovery.Snapshot {
	t.Helper()
	all, now := feed.Update{}, feed.Update{Gap: true}
	for _, v := range versions {
		all.Services = append(all.Services, service(v))
		now.Services = append(now.Services, service(v))
	}
	if suspects != "" {
		lost := service(suspects)
		all.Services = append(all.Services, lost)
		for _, n := range lost.Nodes {
			now.Departed = append(now.Departed, feed.Departure{Service: "s", Version: lost.Version, Node: n})
		}
	}
	return follow(t, script{updates: []feed.Update{all, now}}, 2)
}

// follow returns the snapshot after the given number of changes.
func follow(t testing.TB, src script, changes int) *discovery.Snapshot {
	t.Helper()
	d := discovery.New(src, discovery.Options{})
	defer d.Close()
	seen := make(chan *discovery.Snapshot, 10)
	defer d.Observe(func(s *discovery.Snapshot) { seen <- s })()
	d.Lookup("s")
	var s *discovery.Snapshot
	for range changes {
		s = <-seen
	}
	return s
}

// conn is a connection in a given state.
type conn struct {
	endpoint.Conn
	id    string
	state endpoint.State
}

func (c conn) State() endpoint.State { return c.state }
func (c conn) Load() *endpoint.Load  { return idle }

// idle is the load of connections without calls.
var idle = new(endpoint.Load)

// states is a Connect function of node ids; the rest is ready.
func states(of map[string]endpoint.State) Connect {
	return func(_ string, n *registry.Node) (endpoint.Conn, error) {
		state, ok := of[n.Id]
		if !ok {
			state = endpoint.Ready
		}
		return conn{id: n.Id, state: state}, nil
	}
}

func start(t *testing.T, p *Picker, s *discovery.Snapshot, opts ...selector.SelectOption) *Call {
	t.Helper()
	var so selector.SelectOptions
	for _, o := range opts {
		o(&so)
	}
	c, err := p.Start(s, so)
	if err != nil {
		t.Fatal(err)
	}
	return &c
}

func next(t *testing.T, c *Call) Choice {
	t.Helper()
	ch, err := c.Next()
	if err != nil {
		t.Fatal(err)
	}
	return ch
}

// each runs f with each balancer.
func each(t *testing.T, f func(t *testing.T, p Picker)) {
	t.Run("random", func(t *testing.T) { f(t, Picker{}) })
	t.Run("round robin", func(t *testing.T) { f(t, Picker{Balancer: RoundRobin}) })
	t.Run("least loaded", func(t *testing.T) { f(t, Picker{Balancer: LeastLoaded}) })
}

func TestSpread(t *testing.T) {
	const calls = 6000
	s := snapshot(t, "", "1: a b", "2: c d")
	each(t, func(t *testing.T, p Picker) {
		got := map[string]int{}
		for range calls {
			got[next(t, start(t, &p, s)).Node.Id]++
		}
		for _, id := range []string{"a", "b", "c", "d"} {
			if n := got[id]; n < calls/5 || n > calls/3 {
				t.Errorf("%s got %d of %d", id, n, calls)
			}
		}
	})
}

func TestDeadNodeGivesItsShareToAll(t *testing.T) {
	const calls = 6000
	s := snapshot(t, "", "1: a b c")
	each(t, func(t *testing.T, p Picker) {
		p.Connect = states(map[string]endpoint.State{"c": endpoint.Failing})
		got, warmed := map[string]int{}, 0
		for range calls {
			ch := next(t, start(t, &p, s))
			got[ch.Node.Id]++
			if ch.Warm != nil {
				warmed++
				if ch.Warm.(conn).id != "c" {
					t.Fatalf("asked to connect %q", ch.Warm.(conn).id)
				}
			}
		}
		if got["c"] != 0 || got["a"] < calls*2/5 || got["b"] < calls*2/5 {
			t.Errorf("spread %v", got)
		}
		if warmed == 0 {
			t.Error("nobody was asked to connect the dead node")
		}
	})
}

func TestOrderOfPreference(t *testing.T) {
	for _, tt := range []struct {
		name      string
		of        map[string]endpoint.State
		first     string // any of these
		then      string
		afterThat string
	}{
		{"all ready", nil, "a b", "a b", "x"},
		{"one ready", map[string]endpoint.State{"a": endpoint.Connecting}, "b", "a", "x"},
		{"coming before suspects", map[string]endpoint.State{"a": endpoint.Idle, "b": endpoint.Failing}, "a", "x", "b"},
		{"suspects before failing", map[string]endpoint.State{"a": endpoint.Failing, "b": endpoint.Failing}, "x", "a b", "a b"},
		{"coming suspects before failing", map[string]endpoint.State{"a": endpoint.Failing, "b": endpoint.Failing, "x": endpoint.Idle}, "x", "a b", "a b"},
		{"silent last", map[string]endpoint.State{"a": endpoint.Silent, "b": endpoint.Failing, "x": endpoint.Failing}, "b", "x", "a"},
		{"suspects before silent", map[string]endpoint.State{"a": endpoint.Silent, "b": endpoint.Silent}, "x", "a b", "a b"},
		{"failing suspects last", map[string]endpoint.State{"a": endpoint.Failing, "b": endpoint.Failing, "x": endpoint.Failing}, "a b", "a b", "x"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := snapshot(t, "1: x", "1: a b")
			each(t, func(t *testing.T, p Picker) {
				p.Connect = states(tt.of)
				for range 50 {
					c := start(t, &p, s)
					for i, want := range []string{tt.first, tt.then, tt.afterThat} {
						if got := next(t, c).Node.Id; !slices.Contains(strings.Fields(want), got) {
							t.Fatalf("choice %d is %q, want one of %q", i, got, want)
						}
					}
					if _, err := c.Next(); !errors.Is(err, selector.ErrNoneAvailable) {
						t.Fatalf("after all were tried: %v", err)
					}
				}
			})
		})
	}
}

func TestReadyNodeIsFoundAmongMany(t *testing.T) {
	ids := make([]string, 1000)
	of := map[string]endpoint.State{}
	for i := range ids {
		ids[i] = fmt.Sprint("n", i)
		of[ids[i]] = endpoint.Idle
	}
	of["n500"] = endpoint.Ready
	s := snapshot(t, "", "1: "+strings.Join(ids, " "))
	each(t, func(t *testing.T, p Picker) {
		p.Connect = states(of)
		for range 20 {
			if ch := next(t, start(t, &p, s)); ch.Node.Id != "n500" {
				t.Fatalf("chose %+v", ch)
			}
		}
	})
}

func TestSameAddressCountsAsTried(t *testing.T) {
	s := snapshot(t, "", "1: a b")
	s.Nodes[1].Address = s.Nodes[0].Address
	c := start(t, &Picker{}, s)
	next(t, c)
	if ch, err := c.Next(); err == nil {
		t.Fatalf("went to %q again", ch.Node.Address)
	}
}

func TestManyTries(t *testing.T) {
	s := snapshot(t, "", "1: a b c d e f")
	c := start(t, &Picker{}, s)
	got := map[string]bool{}
	for range 6 {
		got[next(t, c).Node.Id] = true
	}
	if len(got) != 6 {
		t.Fatalf("tried only %v", got)
	}
}

func TestFilters(t *testing.T) {
	s := snapshot(t, "1: x y", "1: a", "2: b")
	p := &Picker{Connect: states(map[string]endpoint.State{"a": endpoint.Failing})}

	c := start(t, p, s, selector.WithFilter(selector.FilterVersion("2")))
	if got := next(t, c).Node.Id; got != "b" {
		t.Fatalf("by version: %q", got)
	}
	c = start(t, p, s, selector.WithFilter(selector.FilterVersion("1"), selector.FilterLabel("id", "x")))
	if got := next(t, c).Node.Id; got != "x" {
		t.Fatalf("a suspect by label: %q", got)
	}

	cut := selector.WithFilter(func(services []*registry.Service) []*registry.Service {
		for _, s := range services {
			s.Nodes[0] = node("forged")
			s.Nodes = s.Nodes[:1]
		}
		return services[:1]
	})
	next(t, start(t, p, s, cut))
	if s.Nodes[0].Id != "a" || len(s.Services) != 2 || s.Services[0].Nodes[0].Id != "a" {
		t.Fatal("a filter reached the shared snapshot")
	}

	_, err := p.Start(s, selector.SelectOptions{Filters: []selector.Filter{selector.FilterVersion("3")}})
	var e *Error
	if !errors.As(err, &e) || e.Reason != Filtered || !slices.Equal(e.Versions, []string{"1", "2"}) {
		t.Fatalf("no such version: %v", err)
	}
}

func TestOwnStrategyIsObeyed(t *testing.T) {
	s := snapshot(t, "1: x", "1: a b")
	last := func(services []*registry.Service) selector.Next {
		nodes := services[len(services)-1].Nodes
		return func() (*registry.Node, error) { return nodes[len(nodes)-1], nil }
	}
	of := states(map[string]endpoint.State{"b": endpoint.Failing})
	for name, c := range map[string]*Call{
		"of the client": start(t, &Picker{Strategy: last, Connect: of}, s),
		"of the call":   start(t, &Picker{Connect: of}, s, selector.WithStrategy(last)),
	} {
		for range 2 { // and it may repeat itself
			if ch := next(t, c); ch.Node.Id != "b" || ch.Warm != nil {
				t.Fatalf("%s: %+v", name, ch)
			}
		}
	}

	only := snapshot(t, "1: x")
	if ch := next(t, start(t, &Picker{Strategy: last}, only)); ch.Node.Id != "x" {
		t.Fatalf("with suspects alone: %+v", ch)
	}

	none := func([]*registry.Service) selector.Next {
		return func() (*registry.Node, error) { return nil, nil }
	}
	if _, err := start(t, &Picker{Strategy: none}, s).Next(); !errors.Is(err, selector.ErrNoneAvailable) {
		t.Fatalf("a strategy without an answer: %v", err)
	}
}

func TestErrors(t *testing.T) {
	gone := feed.Update{Departed: []feed.Departure{{Service: "s", Node: node("a"), Cause: feed.Deleted}}}
	seen := feed.Update{Services: []*registry.Service{service("1: a")}}
	refused := errors.New("connection refused")
	since := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	down := feed.Status{Err: refused, Since: since}
	denied := feed.Status{Err: refusal.Mark(refusal.Login, errors.New("wrong password")), Since: since}
	rightless := feed.Status{Err: fmt.Errorf("user lacks it: %w", fs.ErrPermission), Since: since}
	p := &Picker{
		Registry: func() string { return "etcd (127.0.0.1:2379)" },
		Names:    func() []string { return []string{"x", "go.micro.s", "s1", "t"} },
	}
	for _, tt := range []struct {
		snapshot *discovery.Snapshot
		reason   Reason
		sentinel error
		cause    error
		says     []string
	}{
		{follow(t, script{updates: []feed.Update{{}}}, 1), NeverSeen, selector.ErrNotFound, nil,
			[]string{`service "s": not found`, "etcd (127.0.0.1:2379) has 0 nodes (never seen)", `did you mean ["go.micro.s"]?`}},
		{follow(t, script{updates: []feed.Update{seen, gone}}, 2), Empty, selector.ErrNotFound, nil,
			[]string{"0 nodes (all that were seen are gone)"}},
		{follow(t, script{status: &down}, 1), Unreachable, selector.ErrNoneAvailable, refused,
			[]string{"has not answered yet", "since 2026-01-02T03:04:05Z", "connection refused"}},
		{follow(t, script{status: &denied}, 1), Refused, selector.ErrNoneAvailable, fs.ErrPermission,
			[]string{"refuses the credentials: wrong password"}},
		{follow(t, script{status: &rightless}, 1), Forbidden, selector.ErrNoneAvailable, fs.ErrPermission,
			[]string{"does not allow to read it: user lacks it"}},
	} {
		_, err := p.Start(tt.snapshot, selector.SelectOptions{})
		var e *Error
		if !errors.As(err, &e) || e.Reason != tt.reason || !errors.Is(err, tt.sentinel) {
			t.Errorf("reason %d: got %v", tt.reason, err)
			continue
		}
		if tt.cause != nil && !errors.Is(err, tt.cause) {
			t.Errorf("%v hides its cause", err)
		}
		for _, text := range tt.says {
			if !strings.Contains(err.Error(), text) {
				t.Errorf("%q does not say %q", err, text)
			}
		}
	}
}

func TestBuiltinDoesNotAllocate(t *testing.T) {
	s := snapshot(t, "1: x", "1: a b c")
	each(t, func(t *testing.T, p Picker) {
		targets := NewTargets(s, states(map[string]endpoint.State{"a": endpoint.Idle}), nil)
		p.Targets = func(*discovery.Snapshot) *Targets { return targets }
		var bad error
		n := testing.AllocsPerRun(1000, func() {
			c, err := p.Start(s, selector.SelectOptions{})
			if err == nil {
				_, err = c.Next()
			}
			if err == nil {
				_, err = c.Next()
			}
			if err != nil {
				bad = err
			}
		})
		if n != 0 || bad != nil {
			t.Fatalf("%v allocations, %v", n, bad)
		}
	})
}

func TestWhatTheRegistrySaysOnNoNodes(t *testing.T) {
	p := &Picker{Registry: func() string { return "etcd" }}
	_, err := p.Start(follow(t, script{updates: []feed.Update{{}}}, 1), selector.SelectOptions{})
	var e *Error
	if !errors.As(err, &e) {
		t.Fatal(err)
	}
	e.Hint([]string{"t", "s1", "far.away"}, nil, "")
	if e.Reason != NeverSeen || !slices.Equal(e.Similar, nil) && !slices.Contains(e.Similar, "s1") {
		t.Errorf("got %+v", e)
	}
	e.Hint(nil, []string{"s-1"}, "an etcd answers")
	if e.Reason != Paused || !errors.Is(e, selector.ErrNotFound) || !strings.Contains(e.Error(), `paused ["s-1"]`) || !strings.HasSuffix(e.Error(), "; an etcd answers") {
		t.Errorf("got %v", e)
	}
	other := &Error{Service: "s", Reason: Unreachable}
	other.Hint([]string{"s1"}, []string{"s-1"}, "an etcd answers")
	if other.Reason != Unreachable || other.Similar != nil || other.Paused != nil || other.Nearby != "" {
		t.Errorf("a registry that is away has nothing to say: %+v", other)
	}
}

func TestUnhealthy(t *testing.T) {
	last := errors.New("connection refused")
	s := snapshot(t, "1: x", "1: a b")
	for _, tt := range []struct {
		states map[string]endpoint.State
		tries  int
		want   bool
	}{
		{map[string]endpoint.State{"a": endpoint.Failing, "b": endpoint.Failing, "x": endpoint.Connecting}, 1, true},
		{map[string]endpoint.State{"a": endpoint.Idle, "b": endpoint.Idle, "x": endpoint.Failing}, 2, true}, // both tried
		{map[string]endpoint.State{"a": endpoint.Idle, "b": endpoint.Idle, "x": endpoint.Failing}, 1, false},
		{map[string]endpoint.State{"a": endpoint.Failing, "b": endpoint.Failing, "x": endpoint.Ready}, 0, false},
	} {
		p := &Picker{Registry: func() string { return "etcd" }, Connect: states(tt.states)}
		c, err := p.Start(s, selector.SelectOptions{})
		for range tt.tries {
			if err == nil {
				_, err = c.Next()
			}
		}
		if err != nil {
			t.Fatal(err)
		}
		e := c.Unhealthy(last)
		if (e != nil) != tt.want {
			t.Errorf("%v after %d attempts: got %v", tt.states, tt.tries, e)
		}
		if e != nil && (!errors.Is(e, selector.ErrNoneAvailable) || !errors.Is(e, last) ||
			!strings.HasSuffix(e.Error(), "none of 3 nodes can be reached: connection refused")) {
			t.Errorf("got %v", e)
		}
	}
}

// What can never be called is left out, and told.
func TestUncallableNodesAreSkipped(t *testing.T) {
	bad := errors.New("not an address")
	connect := func(_ string, n *registry.Node) (endpoint.Conn, error) {
		if strings.HasPrefix(n.Id, "bad") {
			return nil, bad
		}
		return conn{id: n.Id, state: endpoint.Ready}, nil
	}
	p := &Picker{Connect: connect}
	s := snapshot(t, "1: bad2 y", "1: bad a")
	if ts := p.targets(s); ts.Skipped != 2 || !errors.Is(ts.Reason, bad) {
		t.Errorf("%d skipped: %v", ts.Skipped, ts.Reason)
	}
	keep := func(s []*registry.Service) []*registry.Service { return s }
	for name, opts := range map[string][]selector.SelectOption{
		"built in": nil,
		"a filter": {selector.WithFilter(keep)},
		"strategy": {selector.WithStrategy(selector.Random)},
	} {
		c := start(t, p, s, opts...)
		for range 20 {
			ch, err := c.Next()
			if err != nil {
				break
			}
			if strings.HasPrefix(ch.Node.Id, "bad") {
				t.Errorf("%s: chose %q", name, ch.Node.Id)
			}
		}
	}
	_, err := p.Start(snapshot(t, "", "1: bad"), selector.SelectOptions{})
	if !errors.Is(err, selector.ErrNoneAvailable) || !errors.Is(err, bad) || !strings.Contains(err.Error(), "none of 1 nodes has an address that can be called") {
		t.Errorf("got %v", err)
	}
}

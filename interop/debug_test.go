package interop_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/interop/peer"
)

// TestDebug has each framework ask services of the other about themselves.
func TestDebug(t *testing.T) {
	eachWay(t, peer.Service{}, func(t *testing.T, caller *program) {
		if _, err := caller.call(peer.Call{Service: caller.served(), Endpoint: "Greeter.Hello", Body: json.RawMessage(`{}`)}); err != nil {
			t.Fatal(err)
		}
		caller.failure(peer.Call{Service: caller.served(), Endpoint: "Greeter.Fail", Body: json.RawMessage(`{"how":"plain","detail":"no"}`)})
		var got peer.Debug
		caller.do(peer.OpAsk, peer.Name{Name: caller.served()}, &got)
		if got.Health != "ok" || got.Started == 0 || got.Requests < 3 || got.Errors < 1 || got.Requests > 20 {
			t.Errorf("got %+v", got)
		}
		starting := "Starting [service] " + caller.served()
		if !slices.ContainsFunc(got.Lines, func(l string) bool { return strings.Contains(l, starting) }) {
			t.Errorf("the log lacks %q: %q", starting, got.Lines)
		}
		if caller.kind == v2 && !slices.ContainsFunc(got.Spans, func(s peer.Span) bool { return strings.HasSuffix(s.Name, ".Greeter.Hello") && !s.Outbound }) {
			t.Errorf("the call has no span: %+v", got.Spans)
		}
	})
}

// TestTracesThroughBoth follows a trace that v2 begins through services of both: each span
// is part of that of the call which it answers or was made under.
//
// Of a call that a handler of v2 makes, the parent may also be what the handler's own span
// is part of, now and then: the headers of a request and those of the span are in v2's
// metadata under names that differ in case, and either may win on the wire.
func TestTracesThroughBoth(t *testing.T) {
	etcd := testkit.StartEtcd(t)
	store := storeOf(t, etcd)
	programs := map[kind]*program{}
	name := func(k kind) string { return "interop.trace." + string(k) }
	for _, k := range kinds {
		programs[k] = run(t, k, etcd.Addr(), "interop.trace.caller."+string(k))
		programs[k].start(peer.Service{Name: name(k), ID: "one", TTL: 10 * time.Second, Interval: 3 * time.Second, Relay: true})
		store.there(name(k), name(k)+"-one")
	}
	body, err := json.Marshal(map[string]any{"services": []string{name(v2), name(ours), name(v2)}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := programs[v2].call(peer.Call{Service: name(ours), Endpoint: "Relay.Pass", ContentType: "application/json", Body: body}); err != nil {
		t.Fatal(err)
	}
	type kept struct {
		peer.Span
		by kind
	}
	spans := map[string]kept{}
	// v2 -> ours -> v2 -> ours -> v2 are four calls, of two spans each. Those of a caller
	// end a moment after those of the called.
	testkit.Eventually(t, 10*time.Second, "all eight spans are kept", func() bool {
		for _, k := range kinds {
			var got peer.Debug
			programs[k].do(peer.OpAsk, peer.Name{Name: name(k)}, &got)
			for _, s := range got.Spans {
				if strings.HasSuffix(s.Name, ".Relay.Pass") {
					spans[s.ID] = kept{s, k}
				}
			}
		}
		return len(spans) >= 8
	})
	traces, roots := map[string]bool{}, 0
	answered := map[string]bool{} // the calls whose answering is in the trace
	for _, s := range spans {
		traces[s.Trace] = true
		parent, found := spans[s.Parent]
		switch {
		case s.Parent == "" && s.Outbound && s.by == v2:
			roots++
		case !found:
			t.Errorf("the parent of %+v is nowhere", s)
		case !s.Outbound && (!parent.Outbound || parent.Name != s.Name || parent.by == s.by || answered[s.Parent]):
			t.Errorf("%+v was served for %+v", s, parent)
		case !s.Outbound:
			answered[s.Parent] = true
		case s.by == ours && (parent.Outbound || parent.by != ours), s.by == v2 && !parent.Outbound && parent.by != v2:
			t.Errorf("%+v was made under %+v", s, parent)
		}
	}
	if len(traces) != 1 || roots != 1 || len(answered) != 4 {
		t.Errorf("there are %d traces with %d beginnings and %d calls, want 1, 1 and 4: %+v", len(traces), roots, len(answered), spans)
	}
}

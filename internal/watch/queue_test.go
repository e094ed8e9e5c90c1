package watch

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/registry"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// event makes an event from "+a1": action, node, address.
func event(text string) *registry.Result {
	action := map[byte]registry.EventType{'+': registry.Create, '~': registry.Update, '-': registry.Delete}[text[0]]
	return &registry.Result{Action: action.String(), Service: &registry.Service{
		Name:  "s",
		Nodes: []*registry.Node{{Id: text[1:2], Address: text[2:]}},
	}}
}

func text(e *registry.Result) string {
	sign := map[string]string{"create": "+", "update": "~", "delete": "-"}[e.Action]
	return sign + e.Service.Nodes[0].Id + e.Service.Nodes[0].Address
}

func drain(t *testing.T, q *Queue) string {
	t.Helper()
	var all []string
	for {
		q.mu.Lock()
		n := q.events.Len()
		q.mu.Unlock()
		if n == 0 {
			return strings.Join(all, " ")
		}
		e, err := q.Next()
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, text(e))
	}
}

func TestQueueKeepsEveryEventUpToTheLimit(t *testing.T) {
	q := NewQueue(nil)
	var want []string
	for i := range Limit {
		e := fmt.Sprintf("~a%d", i)
		want = append(want, e)
		q.Push(event(e))
	}
	if got := drain(t, q); got != strings.Join(want, " ") {
		t.Errorf("%d events went in; other ones, or in another order, came out", Limit)
	}
}

func TestQueueFallsToTheNetDifference(t *testing.T) {
	for _, tc := range []struct{ name, in, want string }{
		{"all are kept at the limit", "+a1 ~a2 -a2", "+a1 ~a2 -a2"},
		{"a node that came and went is nothing", "+a1 ~a2 ~a3 -a3", ""},
		{"a node that came and changed came", "+a1 ~a2 ~a3 ~a4", "+a4"},
		{"a node that changed often changed once", "~a1 ~a2 ~a3 ~a4", "~a4"},
		{"a node that changed and went is gone", "~a1 ~a2 ~a3 -a3", "-a3"},
		{"a node that went and came back changed", "-a1 +a2 -a2 +a3", "~a3"},
		{"a node that came back twice", "+a1 -a1 +a2 ~a3 -a3 +a4", "+a4"},
		{"nodes are counted apart, in order", "+a1 +b1 ~a2 -c1 -b1 +d1", "+a2 -c1 +d1"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			q := newQueue(3, nil)
			for e := range strings.FieldsSeq(tc.in) {
				q.Push(event(e))
			}
			if got := drain(t, q); got != tc.want {
				t.Errorf("%s became %q, want %q", tc.in, got, tc.want)
			}
		})
	}
}

func TestQueueKeepsAllAgainOnceRead(t *testing.T) {
	q := newQueue(2, nil)
	for _, e := range []string{"~a1", "~a2", "~a3"} {
		q.Push(event(e))
	}
	if got := drain(t, q); got != "~a3" {
		t.Fatalf("got %q, want the net difference", got)
	}
	q.Push(event("~a4"))
	q.Push(event("-a4"))
	if got := drain(t, q); got != "~a4 -a4" {
		t.Errorf("got %q, want both events", got)
	}
}

func TestQueueStop(t *testing.T) {
	calls := 0
	q := NewQueue(func() { calls++ })
	got := make(chan error)
	go func() {
		_, err := q.Next()
		got <- err
	}()
	q.Stop()
	if err := <-got; !errors.Is(err, registry.ErrWatcherStopped) {
		t.Errorf("Next returned %v, want ErrWatcherStopped", err)
	}
	q.Stop()
	q.Push(event("+a1"))
	if _, err := q.Next(); !errors.Is(err, registry.ErrWatcherStopped) {
		t.Errorf("Next after Stop returned %v, want ErrWatcherStopped", err)
	}
	if calls != 1 {
		t.Errorf("ended was called %d times, want once", calls)
	}
}

func TestQueueHandsOutCopies(t *testing.T) {
	q := NewQueue(nil)
	e := event("+a1")
	q.Push(e)
	got, err := q.Next()
	if err != nil {
		t.Fatal(err)
	}
	got.Service.Nodes[0].Address = "changed"
	if e.Service.Nodes[0].Address != "1" {
		t.Error("the reader changed what other readers share")
	}
}

func TestQueueWakesOneReaderAfterTheOther(t *testing.T) {
	q := NewQueue(nil)
	q.Push(event("+a1"))
	q.Push(event("+b1"))
	<-q.ready // the first of two readers that wait wakes up
	if e, err := q.take(); err != nil || e == nil {
		t.Fatalf("took %v, %v", e, err)
	}
	select {
	case <-q.ready:
	default:
		t.Error("one event waits, and the second reader is not woken")
	}
}

//go:build !race

package etcd

import (
	"fmt"
	"runtime"
	"sync/atomic"
	"testing"

	"github.com/rollcall-go/micro/internal/etcd/layout"
	"github.com/rollcall-go/micro/internal/etcd/mirror"
	"github.com/rollcall-go/micro/internal/feed"
	"github.com/rollcall-go/micro/internal/record"
	"github.com/rollcall-go/micro/registry"
)

// lastView is a sink that keeps the last view, as discovery does.
type lastView []*registry.Service

func (l *lastView) Update(u feed.Update) { *l = u.Services }
func (l *lastView) Status(feed.Status)   {}

// A client that knows many nodes pays for each little more than its id and address,
// whatever its records describe.
func TestFollowerMemory(t *testing.T) {
	const nodes, most = 5000, 160 // without the keys, which the mirror has as well
	c := mirror.Change{First: true, Reset: true}
	for i := range nodes {
		v := &registry.Value{Name: "R"}
		for f := range 8 {
			v.Values = append(v.Values, &registry.Value{Name: fmt.Sprint("field", f), Type: "string"})
		}
		s := &registry.Service{
			Name: "s", Version: "1", Metadata: map[string]string{},
			Endpoints: []*registry.Endpoint{{Name: "Get", Request: v, Response: v}, {Name: "Put", Request: v, Response: v}},
			Nodes: []*registry.Node{{
				Id: fmt.Sprintf("s-%036d", i), Address: fmt.Sprintf("10.0.%d.%d:8080", i>>8, i&255),
				Metadata: map[string]string{"protocol": "grpc", "server": "grpc", "registry": "etcd", record.Mark: "1"},
			}},
		}
		value, err := layout.Encode(s, s.Nodes[0])
		if err != nil {
			t.Fatal(err)
		}
		c.Events = append(c.Events, mirror.Event{Entry: mirror.Entry{Key: layout.Layout{}.Node("s", s.Nodes[0].Id), Value: value, Lease: 7}})
	}
	heap := func() int64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	before := heap()
	var view lastView
	f := &follower{sink: &view, tracker: tracker{name: "s", skipped: new(atomic.Int64)}}
	f.Change(c)
	each := (heap() - before) / nodes
	t.Logf("%d bytes a node", each)
	if each > most {
		t.Errorf("%d bytes a node, want %d at most", each, most)
	}
	runtime.KeepAlive(c)
	runtime.KeepAlive(f)
}

package etcd

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"testing"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/rollcall-go/micro/config"
	"github.com/rollcall-go/micro/internal/testkit"
)

// many starts etcd with 10,000 keys below /many, and returns a configuration of them.
func many(b *testing.B) (*clientv3.Client, func() config.Config) {
	b.Helper()
	e := testkit.StartEtcd(b)
	c := e.Client(b)
	const keys, at = 10_000, 100
	for i := 0; i < keys; i += at {
		var ops []clientv3.Op
		for k := i; k < i+at; k++ {
			ops = append(ops, clientv3.OpPut(fmt.Sprintf("/many/team-%d/service-%d/database", k%100, k), `{"host":"10.0.0.1","port":3306,"pool":{"size":10,"idle":"1m"}}`))
		}
		if _, err := c.Txn(context.Background()).Then(ops...).Commit(); err != nil {
			b.Fatal(err)
		}
	}
	return c, func() config.Config {
		conf, err := config.NewConfig(config.WithSource(NewSource(WithAddress(e.Addr()), WithPrefix("/many"), StripPrefix(true))))
		if err != nil {
			b.Fatal(err)
		}
		return conf
	}
}

func closed(b *testing.B, c config.Config) {
	b.Helper()
	if err := c.Close(); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkLoad loads 10,000 keys, and says how much memory they take then.
func BenchmarkLoad(b *testing.B) {
	_, load := many(b)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	c := load()
	runtime.GC()
	runtime.ReadMemStats(&after)
	closed(b, c)
	for b.Loop() {
		closed(b, load())
	}
	b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/(1<<20), "MiB-held")
}

// BenchmarkTheLastWatcher writes one of 10,000 keys until the last of 1,000 watchers
// has heard of it.
func BenchmarkTheLastWatcher(b *testing.B) {
	client, load := many(b)
	c := load()
	var heard, watching sync.WaitGroup
	var stops []func() error
	for range 1_000 {
		w, err := c.Watch("team-7")
		if err != nil {
			b.Fatal(err)
		}
		stops = append(stops, w.Stop)
		watching.Go(func() {
			for {
				if _, err := w.Next(); err != nil {
					return
				}
				heard.Done()
			}
		})
	}
	n := 0
	for b.Loop() {
		n++
		heard.Add(len(stops))
		if _, err := client.Put(context.Background(), "/many/team-7/service-7/database", fmt.Sprint(n)); err != nil {
			b.Fatal(err)
		}
		heard.Wait()
	}
	for _, stop := range stops {
		if err := stop(); err != nil {
			b.Fatal(err)
		}
	}
	watching.Wait()
	closed(b, c)
}

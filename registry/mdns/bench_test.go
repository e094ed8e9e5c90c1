package mdns

import (
	"fmt"
	"testing"

	"github.com/rollcall-go/micro/registry"
)

// pair returns two registries of one domain, as two processes of this host have.
func pair(b *testing.B) (one, other *backend) {
	b.Helper()
	place := alone()
	both := [2]*backend{NewRegistry(place).(*backend), NewRegistry(place).(*backend)}
	b.Cleanup(func() {
		for _, r := range both {
			if err := r.Close(); err != nil {
				b.Error(err)
			}
		}
	})
	return both[0], both[1]
}

func one(name, id string) *registry.Service {
	return &registry.Service{Name: name, Version: "1", Nodes: []*registry.Node{{Id: id, Address: "127.0.0.1:8080"}}}
}

// From Register to the event in another process.
func BenchmarkRegisterToWatcher(b *testing.B) {
	owner, reader := pair(b)
	w, err := reader.Watch(registry.WatchService("s"))
	if err != nil {
		b.Fatal(err)
	}
	defer w.Stop()
	for i := 0; b.Loop(); i++ {
		if err := owner.Register(one("s", fmt.Sprint("n", i))); err != nil {
			b.Fatal(err)
		}
		if _, err := w.Next(); err != nil {
			b.Fatal(err)
		}
	}
}

// The first look of a process at a service of another one.
func BenchmarkFirstLookup(b *testing.B) {
	owner, reader := pair(b)
	for i := 0; b.Loop(); i++ {
		name := fmt.Sprint("s", i)
		b.StopTimer()
		if err := owner.Register(one(name, "n")); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
		if _, err := reader.GetService(name); err != nil {
			b.Fatal(err)
		}
	}
}

// Every later one.
func BenchmarkLookup(b *testing.B) {
	owner, reader := pair(b)
	if err := owner.Register(one("s", "n")); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := reader.GetService("s"); err != nil {
			b.Fatal(err)
		}
	}
}

package record

import (
	"fmt"
	"testing"

	"github.com/rollcall-go/micro/registry"
)

// lookedUp is what a lookup of a service of three nodes finds, with so many endpoints.
func lookedUp(endpoints int) []*registry.Service {
	s := &registry.Service{Name: "s", Version: "1", Metadata: map[string]string{}}
	for i := range 3 {
		s.Nodes = append(s.Nodes, &registry.Node{Id: fmt.Sprint(i), Metadata: map[string]string{
			"broker": "memory", "protocol": "grpc", "registry": "etcd", "server": "grpc", "transport": "grpc", Mark: "0.1.0",
		}})
	}
	for i := range endpoints {
		v := &registry.Value{Name: "R"}
		for range 7 {
			v.Values = append(v.Values, &registry.Value{Name: "f"})
		}
		s.Endpoints = append(s.Endpoints, &registry.Endpoint{Name: fmt.Sprint(i), Request: v, Response: v, Metadata: map[string]string{}})
	}
	return []*registry.Service{s}
}

func BenchmarkCopy(b *testing.B) {
	for _, endpoints := range []int{0, 3} {
		b.Run(fmt.Sprintf("%d endpoints", endpoints), func(b *testing.B) {
			services := lookedUp(endpoints)
			b.ReportAllocs()
			for b.Loop() {
				Copy(services)
			}
		})
	}
}

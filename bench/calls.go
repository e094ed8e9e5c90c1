package main

import "fmt"

// few returns all, or those of them that a short run measures, the first n.
func few[T any](r *run, n int, all ...T) []T {
	if r.short {
		return all[:n]
	}
	return all
}

// against are the peers that are compared, each with what it is compared with: the
// same messages over grpc-go.
var against = []struct{ peer, base string }{
	{"generated", "grpc"},
	{"reflection", "grpc"},
	{"v2code", "grpc-legacy"},
}

// unary measures calls with one request and one response.
func unary(r *run) error {
	etcd, err := r.needEtcd()
	if err != nil {
		return err
	}
	defer etcd.Close()
	fmt.Println("| peer | message | at a time | CPU | rate | allocations client | server | grpc-go us |")
	fmt.Println("|---|---|---|---|---|---|---|---|")
	for _, a := range against {
		base, err := r.launch(a.base, 1, 1)
		if err != nil {
			return err
		}
		peer, err := r.launch(a.peer, 1, 1)
		if err != nil {
			return err
		}
		for _, size := range few(r, 1, 64, 4<<10, 64<<10) {
			for _, conc := range few(r, 2, 1, 8, 64, 256) {
				pairs, err := r.compare(base, peer, cell{Size: size, Conc: conc})
				if err != nil {
					return err
				}
				us := make([]float64, len(pairs))
				for i, p := range pairs {
					us[i] = p.base.cpu() / 1000
				}
				fmt.Printf("| %s | %d | %d | %.2f | %.2f | %+.1f | %+.1f | %.1f |\n", a.peer, size, conc,
					ratio(pairs, done.cpu), ratio(pairs, done.rate),
					more(pairs, func(d done) uint64 { return d.Used.Mallocs }),
					more(pairs, func(d done) uint64 { return d.Servers.Mallocs }), median(us))
			}
		}
	}
	return nil
}

// streams measures messages that go there and back.
func streams(r *run) error {
	etcd, err := r.needEtcd()
	if err != nil {
		return err
	}
	defer etcd.Close()
	base, err := r.launch("grpc", 1, 1)
	if err != nil {
		return err
	}
	peer, err := r.launch("generated", 1, 1)
	if err != nil {
		return err
	}
	fmt.Println("| message | streams | messages/s | CPU | allocations client | server | grpc-go messages/s |")
	fmt.Println("|---|---|---|---|---|---|---|")
	for _, size := range few(r, 1, 64, 4<<10) {
		for _, conc := range []int{1, 8} {
			pairs, err := r.compare(base, peer, cell{Size: size, Conc: conc, Window: 64})
			if err != nil {
				return err
			}
			rates := make([]float64, len(pairs))
			for i, p := range pairs {
				rates[i] = p.base.rate()
			}
			fmt.Printf("| %d | %d | %.2f | %.2f | %+.1f | %+.1f | %.0f |\n", size, conc,
				ratio(pairs, done.rate), ratio(pairs, done.cpu),
				more(pairs, func(d done) uint64 { return d.Used.Mallocs }),
				more(pairs, func(d done) uint64 { return d.Servers.Mallocs }), median(rates))
		}
	}
	return nil
}

// fanout measures calls that go to many nodes, and to many services.
func fanout(r *run) error {
	etcd, err := r.needEtcd()
	if err != nil {
		return err
	}
	defer etcd.Close()
	fmt.Println("| services | nodes of each | CPU | rate | round_robin us |")
	fmt.Println("|---|---|---|---|---|")
	type shape struct{ services, nodes int }
	shapes := []shape{{1, 1}, {1, 20}, {1, 100}, {50, 1}}
	if r.short {
		shapes = []shape{{1, 3}, {3, 1}}
	}
	for _, shape := range shapes {
		base, err := r.launch("grpc-etcd", shape.services, shape.nodes)
		if err != nil {
			return err
		}
		peer, err := r.launch("generated", shape.services, shape.nodes)
		if err != nil {
			return err
		}
		pairs, err := r.compare(base, peer, cell{Size: 64, Conc: 8, Services: shape.services})
		if err != nil {
			return err
		}
		us := make([]float64, len(pairs))
		for i, p := range pairs {
			us[i] = p.base.cpu() / 1000
		}
		fmt.Printf("| %d | %d | %.2f | %.2f | %.1f |\n", shape.services, shape.nodes,
			ratio(pairs, done.cpu), ratio(pairs, done.rate), median(us))
		base.stop()
		peer.stop()
	}
	return nil
}

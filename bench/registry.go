package main

import (
	"fmt"
	"time"
)

// follow starts a follower that knows so many nodes.
func (r *run) follow(nodes int, schema bool) (*part, error) {
	c, err := r.needEtcd()
	if err != nil {
		return nil, err
	}
	defer c.Close()
	if err := put(r.ctx, c, 0, nodes, schema); err != nil {
		return nil, err
	}
	var known int
	p, err := r.start(setup{Kind: "follower", Etcd: r.etcd}, &known)
	if err != nil {
		return nil, err
	}
	return p, p.ask("await", nodes, &known)
}

// lookup measures what a program pays for a lookup of a service of three nodes.
func lookup(r *run) error {
	fmt.Println("| through registry/cache | ns | allocations | bytes |")
	fmt.Println("|---|---|---|---|")
	for _, schema := range few(r, 1, false, true) {
		p, err := r.follow(3, schema)
		if err != nil {
			return err
		}
		var ns []float64
		var d done
		for range r.rounds {
			if err := p.ask("lookup", int(r.each/time.Microsecond), &d); err != nil {
				return err
			}
			ns = append(ns, float64(d.Took.Nanoseconds())/float64(d.Number))
		}
		n := uint64(d.Number)
		fmt.Printf("| 3 nodes, %s | %.0f | %d | %d |\n", schemas(schema), median(ns), d.Used.Mallocs/n, d.Used.Bytes/n)
		r.stopParts()
	}
	return nil
}

func schemas(there bool) string {
	if there {
		return "three endpoints with schemas"
	}
	return "no endpoints"
}

// memory measures the memory of what is known.
func memory(r *run) error {
	fmt.Println("| nodes | records | bytes a node |")
	fmt.Println("|---|---|---|")
	for _, schema := range few(r, 1, false, true) {
		p, err := r.follow(1, schema)
		if err != nil {
			return err
		}
		before, err := p.used(true)
		if err != nil {
			return err
		}
		c, err := r.needEtcd()
		if err != nil {
			return err
		}
		err = put(r.ctx, c, 1, r.nodes, schema)
		c.Close()
		if err != nil {
			return err
		}
		var known int
		if err := p.ask("await", r.nodes, &known); err != nil {
			return err
		}
		after, err := p.used(true)
		if err != nil {
			return err
		}
		fmt.Printf("| %d | %s | %d |\n", r.nodes, schemas(schema), (after.Heap-before.Heap)/uint64(r.nodes-1))
		r.stopParts()
	}
	return nil
}

// pace is the time between two changes.
const pace = 4 * time.Millisecond

// change measures what a follower of many nodes pays for a change of one.
func change(r *run) error {
	nodes := max(2, r.nodes/5)
	fmt.Println("| who | nodes | records | CPU us a change | KB a change |")
	fmt.Println("|---|---|---|---|---|")
	for _, schema := range few(r, 1, false, true) {
		p, err := r.follow(nodes, schema)
		if err != nil {
			return err
		}
		var ready bool
		least, err := r.start(setup{Kind: "watcher", Etcd: r.etcd}, &ready)
		if err != nil {
			return err
		}
		changes := int(r.each*time.Duration(4*r.rounds)/pace) + 10
		used, err := r.changeNodes([]*part{p, least}, nodes, changes, schema)
		if err != nil {
			return err
		}
		for i, who := range []string{"registry/cache", "etcd's client alone"} {
			fmt.Printf("| %s | %d | %s | %.0f | %.1f |\n", who, nodes, schemas(schema),
				float64(used[i].CPU)/1000/float64(changes), float64(used[i].Bytes)/1024/float64(changes))
		}
		r.stopParts()
	}
	return nil
}

// changeNodes changes one node after another and returns what each part used.
func (r *run) changeNodes(parts []*part, nodes, changes int, schema bool) ([]usage, error) {
	c, err := r.needEtcd()
	if err != nil {
		return nil, err
	}
	defer c.Close()
	all := make([]usage, len(parts))
	for i, p := range parts {
		if all[i], err = p.used(false); err != nil {
			return nil, err
		}
	}
	ticks := time.NewTicker(pace)
	defer ticks.Stop()
	for i := range changes {
		s := node(i*7919%nodes, schema)
		s.Nodes[0].Address = fmt.Sprintf("10.200.%d.%d:8080", i>>8&255, i&255)
		op, err := writing(s)
		if err != nil {
			return nil, err
		}
		if _, err := c.Do(r.ctx, op); err != nil {
			return nil, err
		}
		select {
		case <-ticks.C:
		case <-r.ctx.Done():
			return nil, r.ctx.Err()
		}
	}
	for i, p := range parts {
		u, err := p.used(false)
		if err != nil {
			return nil, err
		}
		all[i] = u.since(all[i])
	}
	return all, nil
}

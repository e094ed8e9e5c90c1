package operate

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"sync"
	"time"
)

// several operates registries that are used as one.
type several struct{ members []Operator }

var _ Operator = (*several)(nil)

// Several returns an Operator for all members: a node is paused, resumed and
// deregistered wherever it stands.
func Several(members ...Operator) Operator { return &several{members} }

// part is a node as it stands in one member.
type part struct {
	in Operator
	Node
}

// grace is how long the members that have not answered yet are waited for when one has.
const grace = 2 * time.Second

var errLate = fmt.Errorf("the others answered, and it did not within %s", grace)

// asked returns what each of the members answers, all of which are asked at once.
func asked[T any](ctx context.Context, o *several, ask func(context.Context, Operator) (T, error)) ([]T, error) {
	ctx, giveUp := context.WithCancelCause(ctx)
	defer giveUp(nil)
	late := time.AfterFunc(math.MaxInt64, func() { giveUp(errLate) })
	defer late.Stop()
	first := sync.OnceFunc(func() { late.Reset(grace) })
	answers, errs := make([]T, len(o.members)), make([]error, len(o.members))
	var asking sync.WaitGroup
	for i, m := range o.members {
		asking.Go(func() {
			if answers[i], errs[i] = ask(ctx, m); errs[i] == nil {
				first()
			}
		})
	}
	asking.Wait()
	return answers, errors.Join(errs...)
}

// Nodes returns the nodes of all members, each id once.
func (o *several) Nodes(ctx context.Context, service string) ([]Node, error) {
	answers, err := asked(ctx, o, func(ctx context.Context, m Operator) ([]Node, error) { return m.Nodes(ctx, service) })
	byID := make(map[string]int)
	var all []Node
	for of, m := range o.members {
		for _, n := range answers[of] {
			i, known := byID[n.Id]
			if !known {
				i = len(all)
				byID[n.Id] = i
				all = append(all, Node{Service: n.Service, Node: n.Node, Hidden: true, at: []part(nil)})
			}
			all[i].Hidden = all[i].Hidden && n.Hidden
			all[i].Deaf = all[i].Deaf || n.Deaf
			all[i].at = append(all[i].at.([]part), part{m, n})
		}
	}
	return all, err
}

// Standing returns what any of the members knows, the first of them first.
func (o *several) Standing(ctx context.Context, nodes []Node) map[string]Standing {
	all := make(map[string]Standing)
	for _, m := range o.members {
		var own []Node
		for _, n := range nodes {
			for _, p := range n.at.([]part) {
				if p.in == m {
					own = append(own, p.Node)
				}
			}
		}
		known := m.Standing(ctx, own)
		maps.DeleteFunc(known, func(id string, _ Standing) bool { _, ok := all[id]; return ok })
		maps.Copy(all, known)
	}
	return all
}

// Pauses returns those of all members, each once.
func (o *several) Pauses(ctx context.Context, service string) ([]Pause, error) {
	answers, err := asked(ctx, o, func(ctx context.Context, m Operator) ([]Pause, error) { return m.Pauses(ctx, service) })
	var all []Pause
	for _, pauses := range answers {
		for _, p := range pauses {
			if !slices.ContainsFunc(all, func(q Pause) bool { return q.Service == p.Service && q.Node == p.Node }) {
				all = append(all, p)
			}
		}
	}
	sortPauses(all)
	return all, err
}

// Pause pauses the node in each member in which it stands, in none if one of them
// cannot.
func (o *several) Pause(ctx context.Context, service, node, by, reason string) error {
	nodes, err := o.Nodes(ctx, service)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(nodes, func(n Node) bool { return n.Id == node })
	if i < 0 {
		return errors.New(quoted("pause", service, node) + ": it is not registered")
	}
	parts := nodes[i].at.([]part)
	for _, p := range parts {
		if u, ok := p.in.(*unable); ok {
			return u.Pause(ctx, service, node, by, reason)
		}
	}
	for _, p := range parts {
		if err := p.in.Pause(ctx, service, node, by, reason); err != nil {
			return err
		}
	}
	return nil
}

// Resume takes the pause back in each member that has it.
func (o *several) Resume(ctx context.Context, service, node string) error {
	var errs []error
	for _, m := range o.members {
		pauses, err := m.Pauses(ctx, service)
		errs = append(errs, err)
		if slices.ContainsFunc(pauses, func(p Pause) bool { return p.Node == node }) {
			errs = append(errs, m.Resume(ctx, service, node))
		}
	}
	return errors.Join(errs...)
}

// Deregister takes the node out wherever it stands.
func (o *several) Deregister(ctx context.Context, n Node, force bool) error {
	var errs []error
	for _, p := range n.at.([]part) {
		errs = append(errs, p.in.Deregister(ctx, p.Node, force))
	}
	return errors.Join(errs...)
}

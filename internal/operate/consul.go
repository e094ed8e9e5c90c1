package operate

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/rollcall-go/micro/internal/consul"
	"github.com/rollcall-go/micro/internal/consul/tags"
	"github.com/rollcall-go/micro/registry"
)

// inConsul works through an agent, over a client that stays its maker's. A pause is
// the maintenance mode of an instance, which Consul itself hides from callers.
type inConsul struct{ client *consul.Client }

var _ Operator = (*inConsul)(nil)

// Consul returns an Operator over the client. It reads what all agents have, and
// changes what the agent has that it talks to.
func Consul(c *consul.Client) Operator { return &inConsul{c} }

// Nodes returns the instances of a service, also those that are not well.
func (o *inConsul) Nodes(ctx context.Context, service string) ([]Node, error) {
	entries, _, err := o.client.Service(ctx, service, consul.Query{})
	if err != nil {
		return nil, err
	}
	var nodes []Node
	for _, e := range entries {
		content, err := tags.Decode(e.Service.Tags)
		if err != nil {
			continue
		}
		address := cmp.Or(e.Service.Address, e.Node.Address)
		if e.Service.Port > 0 {
			address = net.JoinHostPort(address, strconv.Itoa(e.Service.Port))
		}
		n := &registry.Node{Id: cmp.Or(content.NodeID, e.Service.ID), Address: address, Metadata: content.Node}
		s := &registry.Service{Name: service, Version: content.Version, Metadata: content.Metadata, Endpoints: content.Endpoints, Nodes: []*registry.Node{n}}
		nodes = append(nodes, Node{Service: s, Node: n, Hidden: worst(e) != "", at: e})
	}
	return nodes, nil
}

// worst says which check hides an instance, "" if none does.
func worst(e consul.Entry) string {
	text := ""
	for _, c := range e.Checks {
		switch {
		case c.Status != consul.Critical:
		case c.Maintained():
			return "maintenance"
		default:
			text = consul.Critical
			if c.Output != "" {
				text += ": " + strings.Join(strings.Fields(c.Output), " ")
			}
		}
	}
	return text
}

// Standing returns the state of the health checks.
func (o *inConsul) Standing(_ context.Context, nodes []Node) map[string]Standing {
	all := make(map[string]Standing)
	for _, n := range nodes {
		all[n.Id] = Standing{Check: cmp.Or(worst(n.at.(consul.Entry)), consul.Passing)}
	}
	return all
}

// Pauses returns the nodes in maintenance mode. For all services at once it is not
// known who set it.
func (o *inConsul) Pauses(ctx context.Context, service string) (all []Pause, err error) {
	if service == "" {
		states, _, err := o.client.States(ctx, consul.Query{})
		for _, c := range states {
			if c.Status == consul.Critical && c.ServiceName != "" && (consul.Check{CheckID: c.CheckID}).Maintained() {
				all = append(all, Pause{Service: c.ServiceName, Node: c.ServiceID})
			}
		}
		sortPauses(all)
		return all, err
	}
	nodes, err := o.Nodes(ctx, service)
	for _, n := range nodes {
		for _, c := range n.at.(consul.Entry).Checks {
			if c.Status == consul.Critical && c.Maintained() {
				p := pauseOf(c.Notes)
				p.Service, p.Node = service, n.Id
				all = append(all, p)
				break
			}
		}
	}
	sortPauses(all)
	return all, err
}

// ours is how Pause writes the reason of a maintenance mode.
var ours = regexp.MustCompile(`(?s)^paused by (.*?) at (\S+?)(?:: (.*))?$`)

// pauseOf reads the reason of a maintenance mode.
func pauseOf(notes string) Pause {
	if m := ours.FindStringSubmatch(notes); m != nil {
		return Pause{By: m[1], At: m[2], Reason: m[3]}
	}
	return Pause{Reason: notes}
}

// Pause sets the maintenance mode of an instance.
func (o *inConsul) Pause(ctx context.Context, service, node, by, reason string) error {
	text := fmt.Sprintf("paused by %s at %s", cmp.Or(by, "somebody"), time.Now().Format(time.RFC3339))
	if reason != "" {
		text += ": " + reason
	}
	return o.onInstance(ctx, "pause", service, node, func(e consul.Entry) error {
		return o.client.Maintain(ctx, service, e.Service.ID, true, text)
	})
}

// Resume ends it.
func (o *inConsul) Resume(ctx context.Context, service, node string) error {
	return o.onInstance(ctx, "resume", service, node, func(e consul.Entry) error {
		for _, c := range e.Checks {
			if c.Maintained() && c.ServiceID == "" {
				return fmt.Errorf("its agent %q is in maintenance mode as a whole: `consul maint -disable` there ends that", e.Node.Node)
			}
		}
		return o.client.Maintain(ctx, service, e.Service.ID, false, "")
	})
}

// Deregister tells the agent of the instance to forget it.
func (o *inConsul) Deregister(ctx context.Context, n Node, force bool) error {
	return o.onInstance(ctx, "deregister", n.Service.Name, n.Id, func(e consul.Entry) error {
		if !force {
			sign := answers(ctx, n)
			if worst(e) == "" {
				sign = "its health check passes"
			}
			if sign != "" {
				return fmt.Errorf("%s: %w", sign, ErrAlive)
			}
		}
		return o.client.Deregister(ctx, n.Service.Name, e.Service.ID)
	})
}

// onInstance calls f with an instance as it stands now, if it is one of the agent's.
func (o *inConsul) onInstance(ctx context.Context, doing, service, node string, f func(consul.Entry) error) error {
	doing = quoted(doing, service, node)
	nodes, err := o.Nodes(ctx, service)
	if err != nil {
		return fmt.Errorf("%s: %w", doing, err)
	}
	elsewhere := ""
	for _, n := range nodes {
		if n.Id != node {
			continue
		}
		e := n.at.(consul.Entry)
		if _, here, err := o.client.Instance(ctx, e.Service.ID); err != nil {
			return fmt.Errorf("%s: %w", doing, err)
		} else if !here {
			elsewhere = fmt.Sprintf("it is registered at the agent %q, and %s is another one: run the command there, or give that agent's address with --registry_address (%s, if it takes requests from here)", e.Node.Node, o.client.Addr(), e.Node.Address)
			continue
		}
		if err := f(e); err != nil {
			return fmt.Errorf("%s: %w", doing, err)
		}
		return nil
	}
	return fmt.Errorf("%s: %w", doing, errors.New(cmp.Or(elsewhere, "it is not registered")))
}

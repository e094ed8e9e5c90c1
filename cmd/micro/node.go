package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/user"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/rollcall-go/micro/internal/doctor"
	"github.com/rollcall-go/micro/internal/operate"
	"github.com/rollcall-go/micro/internal/similar"
)

func nodeCommand() *cli.Command {
	const which = `NODE is its id, or a part of it, from
the beginning or to the end, that fits no other.`
	sub := func(name, usage, description string, action func(context.Context, *session, *nodes, string) (nodeResult, error), more ...cli.Flag) *cli.Command {
		return &cli.Command{
			Name: name, Usage: usage, ArgsUsage: "SERVICE NODE", Description: description,
			Flags:  append(append(registryFlags(10*time.Second), outputFlag()), more...),
			Before: arguments(2, 2),
			Action: withRegistry(func(s *session) error { return onNode(s, action) }),
		}
	}
	return &cli.Command{
		Name:  "node",
		Usage: "take a node out of the registry, and bring it back",
		Subcommands: []*cli.Command{
			sub("pause", "make a node leave the registry and stay out",
				`Asks the node to deregister and to stay out until it is resumed, also if it is
started again under the same id; its process goes on and answers whoever knows
its address. Waits until the node has left. `+which+`

   micro node pause greeter greeter-8f1c --reason "disk full"
   micro node resume greeter greeter-8f1c`,
				pauseNode, &cli.StringFlag{Name: "reason", Usage: "tell others `WHY`"}),
			sub("resume", "let a paused node come back",
				`Takes a pause back and waits until the node is registered again. `+which+`

   micro node resume greeter greeter-8f1c`, resumeNode),
			sub("deregister", "take a node out whose process is gone",
				`Takes the record of a dead node out, so that nobody waits for its lease to end.
Callers drop it at once. A node that seems to be alive is left alone, because it
would register again: its lease was renewed lately, or something answers at its
address. `+which+`

   micro node deregister greeter greeter-8f1c
   micro node deregister greeter greeter-8f1c --force`,
				deregisterNode, &cli.BoolFlag{Name: "force", Usage: "also if it seems to be alive", DisableDefaultText: true}),
		},
	}
}

// nodes are the nodes of a service, registered and paused.
type nodes struct {
	service    string
	registered []operate.Node
	paused     []operate.Pause
}

// ids returns the ids of all nodes, those that are registered first.
func (n *nodes) ids() []string {
	var ids []string
	known := make(map[string]bool)
	add := func(id string) {
		if !known[id] {
			known[id] = true
			ids = append(ids, id)
		}
	}
	for _, node := range n.registered {
		add(node.Id)
	}
	for _, p := range n.paused {
		add(p.Node)
	}
	return ids
}

// find returns the id of the one node that is meant.
func (n *nodes) find(given string) (string, error) {
	ids := n.ids()
	if slices.Contains(ids, given) {
		return given, nil
	}
	var meant []string
	for _, id := range ids {
		own := strings.TrimPrefix(id, n.service+"-")
		if strings.HasPrefix(id, given) || strings.HasSuffix(id, given) || strings.HasPrefix(own, given) {
			meant = append(meant, id)
		}
	}
	switch {
	case len(meant) == 1:
		return meant[0], nil
	case len(meant) > 1:
		return "", fmt.Errorf("find node %q of %q: it could be any of %s, give more of the id", given, n.service, few(meant))
	case len(ids) == 0:
		return "", fmt.Errorf("find node %q of %q: the service has no node, `micro list services` shows those that have", given, n.service)
	}
	near := few(similar.Closest(given, ids, most))
	if len(ids) > most {
		near += fmt.Sprintf(" (the nearest of %d)", len(ids))
	}
	return "", fmt.Errorf("find node %q of %q: there is none, choose one of %s", given, n.service, near)
}

// pause returns the pause of the node.
func (n *nodes) pause(id string) (operate.Pause, bool) {
	i := slices.IndexFunc(n.paused, func(p operate.Pause) bool { return p.Node == id })
	if i < 0 {
		return operate.Pause{}, false
	}
	return n.paused[i], true
}

// node returns the registered node.
func (n *nodes) node(id string) (operate.Node, bool) {
	i := slices.IndexFunc(n.registered, func(n operate.Node) bool { return n.Id == id })
	if i < 0 {
		return operate.Node{}, false
	}
	return n.registered[i], true
}

func pauseNode(ctx context.Context, s *session, all *nodes, id string) (nodeResult, error) {
	node, _ := all.node(id)
	if before, paused := all.pause(id); paused && (node.Node == nil || node.Hidden) {
		return nodeResult{Node: id, State: "paused", Note: alreadyPaused(before)}, nil
	}
	if node.Deaf {
		return nodeResult{}, fmt.Errorf("pause node %q: it is a node of go-micro v2, which does not listen; stop its process instead", id)
	}
	begun := time.Now()
	if err := s.operator.Pause(ctx, all.service, id, whoAmI(), s.String("reason")); err != nil {
		return nodeResult{}, err
	}
	if err := operate.Await(ctx, s.registry, all.service, id, false); errors.Is(err, context.DeadlineExceeded) {
		return nodeResult{}, fmt.Errorf("pause node %q: it has not left the registry within %s; it will when it hears of it, `micro node resume %s %s` takes the pause back",
			id, s.target.timeout, doctor.Shell(all.service), doctor.Shell(id))
	} else if err != nil {
		return nodeResult{}, err
	}
	return nodeResult{Node: id, State: "paused", Note: "left the registry", TookMS: took(begun)}, nil
}

// alreadyPaused says so, with what is known of who did it and when.
func alreadyPaused(p operate.Pause) string {
	text := "was paused already"
	if p.By != "" {
		text += ", by " + p.By
	}
	if p.At != "" {
		text += " at " + p.At
	}
	return text
}

func resumeNode(ctx context.Context, s *session, all *nodes, id string) (nodeResult, error) {
	if operate.CannotPause(s.operator) != "" {
		return nodeResult{}, s.operator.Resume(ctx, all.service, id)
	}
	if _, paused := all.pause(id); !paused {
		return nodeResult{Node: id, State: "registered", Note: "was not paused"}, nil
	}
	begun := time.Now()
	if err := s.operator.Resume(ctx, all.service, id); err != nil {
		return nodeResult{}, err
	}
	if err := operate.Await(ctx, s.registry, all.service, id, true); errors.Is(err, context.DeadlineExceeded) {
		return nodeResult{}, fmt.Errorf("resume node %q: the pause is taken back, but the node has not registered within %s; is its process running?", id, s.target.timeout)
	} else if err != nil {
		return nodeResult{}, err
	}
	return nodeResult{Node: id, State: "registered", Note: "is registered again", TookMS: took(begun)}, nil
}

func deregisterNode(ctx context.Context, s *session, all *nodes, id string) (nodeResult, error) {
	node, registered := all.node(id)
	if !registered {
		return nodeResult{Node: id, State: "gone", Note: "was not registered"}, nil
	}
	left := "it had no lease"
	var seconds *int64
	switch standing := s.operator.Standing(ctx, []operate.Node{node})[id]; {
	case standing.Lease != nil:
		left = "lease left: " + standing.Lease.String()
		n := int64(standing.Lease.Left / time.Second)
		seconds = &n
	case standing.Check != "":
		left = "its check was " + standing.Check
	}
	err := s.operator.Deregister(ctx, node, s.Bool("force"))
	switch {
	case errors.Is(err, operate.ErrAlive):
		return nodeResult{}, fmt.Errorf("%w (`micro node pause %s %s`); --force takes it out all the same", err, doctor.Shell(all.service), doctor.Shell(id))
	case err != nil:
		return nodeResult{}, err
	}
	return nodeResult{Node: id, State: "gone", Note: "is deregistered, " + left, LeaseLeft: seconds}, nil
}

// nodeResult is what became of a node.
type nodeResult struct {
	Node      string `json:"node"`
	State     string `json:"state"`                  // paused, registered or gone
	Note      string `json:"note"`                   // in words
	TookMS    int64  `json:"took_ms"`                // from the order until it was seen; 0 if nothing was to do
	LeaseLeft *int64 `json:"lease_left_s,omitempty"` // of the record that was taken out
}

var _ result = nodeResult{}

func (r nodeResult) value() any { return r }

func (r nodeResult) table(w screen) error {
	after := ""
	if r.TookMS > 0 {
		after = fmt.Sprintf(" after %d ms", r.TookMS)
	}
	w.line("%s %s%s", r.Node, r.Note, after)
	return nil
}

// onNode finds the node that the arguments name, calls f within the timeout and
// shows what f returns.
func onNode(s *session, f func(context.Context, *session, *nodes, string) (nodeResult, error)) error {
	ctx, cancel := context.WithTimeout(s.Context.Context, s.target.timeout)
	defer cancel()
	all := &nodes{service: s.Args().Get(0)}
	var err error
	if all.registered, err = s.operator.Nodes(ctx, all.service); err != nil {
		return err
	}
	if all.paused, err = s.operator.Pauses(ctx, all.service); err != nil && s.Command.Name != "deregister" {
		return err // without them neither pause nor resume makes sense
	}
	id, err := all.find(s.Args().Get(1))
	if err != nil {
		return err
	}
	r, err := f(ctx, s, all, id)
	if s.Context.Err() != nil {
		return fmt.Errorf("%s node %q: interrupted, `micro get service %s` shows where it stands", s.Command.Name, id, doctor.Shell(all.service))
	}
	if err != nil {
		return err
	}
	return show(s.Context, r)
}

// whoAmI names this user to others.
func whoAmI() string {
	who, host := "unknown", "unknown"
	if u, err := user.Current(); err == nil {
		who = u.Username
	}
	if h, err := os.Hostname(); err == nil {
		host = h
	}
	return who + "@" + host
}

// took is the time since then in milliseconds, rounded up.
func took(begun time.Time) int64 { return time.Since(begun).Milliseconds() + 1 }

package consul

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// MaxBlocking is how many blocking queries one registry has open at a time. An agent
// takes 200 connections of one address, unless told otherwise.
const MaxBlocking = 64

// Query says how to read the catalog.
type Query struct {
	// Stale lets any server answer, also one that lags behind the leader.
	Stale bool
	// Index, if not zero, makes the agent hold the answer back until what is asked
	// about has another index, or Wait is over.
	Index uint64
	Wait  time.Duration
	// Connect asks for instances that speak Consul's mesh alone.
	Connect bool
	// Instances, if they are given and few, are those that the answer is about.
	Instances []string

	below bool // of a key: also the keys that begin with it
}

// Entry is an instance with its agent and all checks that concern it.
type Entry struct {
	Node    EntryNode
	Service EntryService
	Checks  []Check
}

// EntryNode is the agent that an instance is registered at.
type EntryNode struct {
	ID      string
	Node    string
	Address string
}

// EntryService is an instance as the catalog has it.
type EntryService struct {
	ID          string
	Service     string
	Tags        []string
	Address     string
	Port        int
	CreateIndex uint64
	ModifyIndex uint64
}

// Answer is what is known of an answer beside what is in it.
type Answer struct {
	// Index grows with each change of what was asked about, and starts again where
	// Consul was restored or lost its data.
	Index uint64
	// Leaderless says that the servers had no leader: what they answer may be old. Of a
	// service that is waited for it is not known, where the agent answers from a stream.
	Leaderless bool

	header http.Header
}

// read asks the servers, by way of the agent.
func (c *Client) read(ctx context.Context, doing, needs, path string, q Query, out any) (Answer, error) {
	r := request{doing: doing, needs: needs, method: http.MethodGet, path: path, query: url.Values{}, reads: true}
	if q.Stale {
		r.query.Set("stale", "")
	}
	if filter, ok := filterOf("Service.ID", q.Instances); ok {
		r.query.Set("filter", filter)
	}
	if q.below {
		r.query.Set("recurse", "")
	}
	if q.Index > 0 {
		r.query.Set("index", strconv.FormatUint(q.Index, 10))
		r.query.Set("wait", q.Wait.String())
		// The agent adds up to a sixteenth at random.
		r.within = q.Wait + q.Wait/16 + blockingGrace
	}
	header, err := c.do(ctx, r, out)
	if err != nil {
		return Answer{}, err
	}
	index, err := strconv.ParseUint(header.Get("X-Consul-Index"), 10, 64)
	if err != nil {
		return Answer{}, fmt.Errorf("%s: the answer has no X-Consul-Index: what answers at %q is not a Consul agent", doing, c.Addr())
	}
	// An index of 0 would not be waited for.
	// From a stream of its servers, as since Consul 1.10, an agent says "false" of every
	// Consul, because no server was asked.
	leaderless := header.Get("X-Consul-Knownleader") == "false" && header.Get("X-Consul-Query-Backend") != "streaming"
	return Answer{Index: max(index, 1), Leaderless: leaderless, header: header}, nil
}

// blockingGrace is how much later than it should the answer to a blocking query may
// come.
const blockingGrace = 3 * time.Second

// Service returns the instances of a service, also those that are not well, and the
// index of the answer. If there are none, and that may be so because the token does not
// let see them, it is an error.
func (c *Client) Service(ctx context.Context, name string, q Query) ([]Entry, Answer, error) {
	path := "/v1/health/service/"
	if q.Connect {
		path = "/v1/health/connect/"
	}
	var entries []Entry
	doing, needs := fmt.Sprintf("look up %q", name), fmt.Sprintf("service:read on %q and node:read", name)
	about, err := c.read(ctx, doing, needs, path+url.PathEscape(name), q, &entries)
	if err == nil && len(entries) == 0 {
		err = c.hidden(ctx, doing, needs, name, about.header)
	}
	return entries, about, err
}

// Services returns the tags of all services by their names.
func (c *Client) Services(ctx context.Context, q Query) (map[string][]string, Answer, error) {
	var services map[string][]string
	const doing, needs = "list services", "service:read"
	about, err := c.read(ctx, doing, needs, "/v1/catalog/services", q, &services)
	if err == nil && len(services) == 0 {
		err = c.hidden(ctx, doing, needs, "", about.header)
	}
	return services, about, err
}

// States returns the state of every check in the catalog.
func (c *Client) States(ctx context.Context, q Query) ([]CheckState, Answer, error) {
	var states []CheckState
	about, err := c.read(ctx, "ask for all checks", "service:read and node:read", "/v1/health/state/any", q, &states)
	return states, about, err
}

// CheckState is what tells that a check has changed.
type CheckState struct {
	Node        string
	CheckID     string
	Status      string
	Output      string
	ServiceID   string
	ServiceName string
}

// NodeID returns the id of the agent that has the given name, "" if there is none.
func (c *Client) NodeID(ctx context.Context, name string) (string, error) {
	var answer *struct{ Node struct{ ID string } }
	_, err := c.read(ctx, fmt.Sprintf("look at the agent %q", name), fmt.Sprintf("node:read on %q", name), "/v1/catalog/node/"+url.PathEscape(name), Query{}, &answer)
	if err != nil || answer == nil {
		return "", err
	}
	return answer.Node.ID, nil
}

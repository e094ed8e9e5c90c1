package consul

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// Registration is a service instance as an agent is told of it.
type Registration struct {
	ID      string
	Name    string
	Tags    []string
	Port    int
	Address string
	Check   *CheckSpec
	Connect *Connect `json:",omitempty"`
}

// CheckSpec is the health check of a registration: TTL, or TCP with an Interval. The
// times are in the form of time.Duration.
type CheckSpec struct {
	TTL                            string `json:",omitempty"`
	TCP                            string `json:",omitempty"`
	Interval                       string `json:",omitempty"`
	Status                         string `json:",omitempty"` // at first
	DeregisterCriticalServiceAfter string `json:",omitempty"`
}

// Connect says that the instance speaks Consul's service mesh by itself.
type Connect struct{ Native bool }

// The states of a check.
const (
	Passing  = "passing"
	Critical = "critical"
)

// CheckID returns the id that an agent gives the one check of an instance.
func CheckID(instance string) string { return "service:" + instance }

// The ids of the checks by which an agent takes out an instance, or all of its own.
const (
	instanceMaintenance = "_service_maintenance:"
	nodeMaintenance     = "_node_maintenance"
)

// Check is a health check as it stands.
type Check struct {
	Node        string
	CheckID     string
	Status      string
	Notes       string
	Output      string
	ServiceID   string
	ServiceName string
}

// Maintained reports whether the check is there because an operator took the
// instance, or everything on its agent, out.
func (c Check) Maintained() bool {
	return c.CheckID == nodeMaintenance || strings.HasPrefix(c.CheckID, instanceMaintenance)
}

// put sends a request without an answer.
func (c *Client) put(ctx context.Context, doing, needs, path string, query url.Values, body any) error {
	_, err := c.do(ctx, request{doing: doing, needs: needs, method: http.MethodPut, path: path, query: query, body: body}, nil)
	return err
}

func mayWrite(service string) string { return fmt.Sprintf("service:write on %q", service) }

// Register tells the agent of an instance, in place of what it knew of the same ID.
func (c *Client) Register(ctx context.Context, r Registration) error {
	return c.put(ctx, fmt.Sprintf("register %q", r.ID), mayWrite(r.Name), "/v1/agent/service/register", nil, r)
}

// Deregister removes an instance from the agent. One that is not there is no error.
func (c *Client) Deregister(ctx context.Context, service, id string) error {
	err := c.put(ctx, fmt.Sprintf("deregister %q", id), mayWrite(service), "/v1/agent/service/deregister/"+url.PathEscape(id), nil, nil)
	if Unknown(err) {
		return nil
	}
	return err
}

// Pass renews the TTL check of an instance. Unknown tells whether it is not there.
func (c *Client) Pass(ctx context.Context, service, id string) error {
	return c.put(ctx, fmt.Sprintf("renew %q", id), mayWrite(service), "/v1/agent/check/pass/"+url.PathEscape(CheckID(id)), nil, nil)
}

// Fail makes the TTL check of an instance critical, with a text that says why.
func (c *Client) Fail(ctx context.Context, service, id, output string) error {
	return c.put(ctx, fmt.Sprintf("take %q out", id), mayWrite(service), "/v1/agent/check/update/"+url.PathEscape(CheckID(id)), nil,
		map[string]string{"Status": Critical, "Output": output})
}

// Maintain takes an instance of this agent out, or back in, by its maintenance mode:
// a check of its own that is critical and has the reason as its notes.
func (c *Client) Maintain(ctx context.Context, service, id string, enable bool, reason string) error {
	query := url.Values{"enable": {strconv.FormatBool(enable)}}
	if reason != "" {
		query.Set("reason", reason)
	}
	return c.put(ctx, fmt.Sprintf("set the maintenance mode of %q", id), mayWrite(service), "/v1/agent/service/maintenance/"+url.PathEscape(id), query, nil)
}

// Instance is what an agent knows of an instance of its own.
type Instance struct {
	ID      string
	Service string
	Tags    []string
	Port    int
	Address string
}

// Of reports whether i is what the agent makes of r.
func (r Registration) Of(i Instance) bool {
	return r.ID == i.ID && r.Name == i.Service && r.Address == i.Address && r.Port == i.Port && slices.Equal(r.Tags, i.Tags)
}

// Instance returns what the agent knows of an instance, false if it does not know it.
func (c *Client) Instance(ctx context.Context, id string) (Instance, bool, error) {
	answer, err := c.look(ctx, id)
	if err != nil || answer.Service == nil {
		return Instance{}, false, err
	}
	return *answer.Service, true, nil
}

// looked is what an agent knows of an instance and of the checks that concern it.
type looked struct {
	Service *Instance // nil if there is none
	Checks  []Check
}

func (c *Client) look(ctx context.Context, id string) (answer looked, err error) {
	// Of the ways to ask for one instance this one leaves no error in the agent's log.
	// The status tells the state of the checks.
	_, err = c.do(ctx, request{
		doing: fmt.Sprintf("look at %q", id), needs: "service:read", method: http.MethodGet,
		path: "/v1/agent/health/service/id/" + url.PathEscape(id),
		also: []int{http.StatusNotFound, http.StatusTooManyRequests, http.StatusServiceUnavailable},
	}, &answer)
	return answer, err
}

// few is how many instances are asked for one by one. Where an agent has thousands, one
// costs it a tenth of what it costs to find its check in the list of all.
const few = 4

// Checks returns the checks that the agent runs, by their ids. With not too many
// instances it is asked about theirs alone.
func (c *Client) Checks(ctx context.Context, instances []string) (map[string]Check, error) {
	if n := len(instances); n > 0 && n <= few {
		checks := map[string]Check{}
		for _, id := range instances {
			answer, err := c.look(ctx, id)
			if err != nil {
				return nil, err
			}
			for _, check := range answer.Checks {
				checks[check.CheckID] = check
			}
		}
		return checks, nil
	}
	query := url.Values{}
	if filter, ok := filterOf("ServiceID", instances, fmt.Sprintf("CheckID == %q", nodeMaintenance)); ok {
		query.Set("filter", filter)
	}
	var checks map[string]Check
	_, err := c.do(ctx, request{doing: "ask for the checks of the agent", needs: "agent:read or service:read", method: http.MethodGet, path: "/v1/agent/checks", query: query}, &checks)
	return checks, err
}

// filterOf returns an expression of Consul's filter language for what has one of the
// ids in the given field, or fulfils one of the other conditions; false if the ids are
// many, or it has no form for them. Agents before 1.5 ignore it.
func filterOf(field string, ids []string, or ...string) (string, bool) {
	if len(ids) == 0 || len(ids) > 16 {
		return "", false
	}
	for _, id := range ids {
		if strings.ContainsAny(id, "`\n\r") {
			return "", false
		}
		or = append(or, field+" == `"+id+"`")
	}
	return strings.Join(or, " or "), true
}

// NodeName returns the name under which the agent is in the catalog.
func (c *Client) NodeName(ctx context.Context) (string, error) {
	var self struct{ Config struct{ NodeName string } }
	_, err := c.do(ctx, request{doing: "ask the agent for its name", needs: "agent:read", method: http.MethodGet, path: "/v1/agent/self"}, &self)
	return self.Config.NodeName, err
}

package consul

import (
	"context"
	"errors"
	"net/http"
	"time"
)

// Self is what an agent says of itself.
type Self struct {
	Node, Datacenter, Version string
	Server                    bool
	// At is the agent's clock, in whole seconds; zero if it does not tell.
	At time.Time
}

// Self asks the agent about itself.
func (c *Client) Self(ctx context.Context) (Self, error) {
	var answer struct {
		Config struct {
			NodeName, Datacenter, Version string
			Server                        bool
		}
	}
	header, err := c.do(ctx, request{doing: "ask the agent about itself", needs: "agent:read", method: http.MethodGet, path: "/v1/agent/self"}, &answer)
	if err != nil {
		return Self{}, err
	}
	s := Self{Node: answer.Config.NodeName, Datacenter: answer.Config.Datacenter, Version: answer.Config.Version, Server: answer.Config.Server}
	if at, err := http.ParseTime(header.Get("Date")); err == nil {
		s.At = at
	}
	return s, nil
}

// Leader returns the address of the servers' leader, "" if they have none. It takes no
// token.
func (c *Client) Leader(ctx context.Context) (addr string, err error) {
	_, err = c.do(ctx, request{doing: "ask for the leader", method: http.MethodGet, path: "/v1/status/leader"}, &addr)
	return addr, err
}

// Right is something that a token may be good for.
type Right struct {
	Resource string // "service", "node", "agent"
	Access   string // "read" or "write"
	Segment  string // the name of what it is about
}

// Allowed returns which of the rights the token has, false for known where no tokens
// are checked.
func (c *Client) Allowed(ctx context.Context, rights []Right) (allowed []bool, known bool, err error) {
	var answers []struct{ Allow bool }
	_, err = c.do(ctx, request{doing: "ask what the token allows", method: http.MethodPost, path: "/v1/internal/acl/authorize", body: rights}, &answers)
	var status *StatusError
	if errors.As(err, &status) && status.Code == http.StatusUnauthorized && !status.stranger {
		return nil, false, nil // "ACL support disabled"
	}
	for _, a := range answers {
		allowed = append(allowed, a.Allow)
	}
	return allowed, err == nil && len(allowed) == len(rights), err
}

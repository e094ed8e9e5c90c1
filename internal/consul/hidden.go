package consul

import (
	"context"
	"fmt"
	"net/http"

	"github.com/rollcall-go/micro/internal/refusal"
)

// hidden returns an error if an answer in which there is nothing may be empty because
// the token does not let see what is there: Consul leaves that out without a word. name
// is the service that was asked about, "" for all.
//
// A token's answers say so in a header, since Consul 1.11. Without a token nothing does,
// and where everybody's rights are none unless they were given, Consul is asked for them.
func (c *Client) hidden(ctx context.Context, doing, needs, name string, header http.Header) error {
	if header.Get("X-Consul-Results-Filtered-By-ACLs") != "true" {
		if secret, err := c.secret(); err != nil || secret != "" || header.Get("X-Consul-Default-ACL-Policy") != "deny" {
			return err
		}
		// The catalog lists at least Consul's own servers to whom it lists all.
		if name != "" && c.may(ctx, name) {
			return nil
		}
	}
	return fmt.Errorf("%s: %w", doing, refusal.Mark(refusal.Right, fmt.Errorf(
		"what Consul at %q shows is perhaps not all: the token lacks a right, this takes %s; without CONSUL_HTTP_TOKEN it is that of everybody", c.Addr(), needs)))
}

// may reports whether everybody may look up a service, or true if that cannot be found
// out. Consul's own web page asks so.
func (c *Client) may(ctx context.Context, service string) bool {
	type right struct {
		Resource, Access, Segment string
		Allow                     bool `json:",omitempty"`
	}
	var rights []right
	_, err := c.do(ctx, request{
		doing: "ask what everybody may do", method: http.MethodPost, path: "/v1/internal/acl/authorize",
		body: []right{{Resource: "service", Access: "read", Segment: service}},
	}, &rights)
	return err != nil || len(rights) != 1 || rights[0].Allow
}

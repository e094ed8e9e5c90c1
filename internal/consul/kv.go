package consul

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// Pair is a key of Consul's key-value store.
type Pair struct {
	Key         string
	Value       []byte // base64 in the answer
	ModifyIndex uint64
}

// Pairs returns the keys that begin with prefix, which are of one moment. That there are
// none is no error.
func (c *Client) Pairs(ctx context.Context, prefix string, q Query) ([]Pair, Answer, error) {
	var pairs []Pair
	q.below = true
	path := (&url.URL{Path: "/v1/kv/" + strings.TrimPrefix(prefix, "/")}).EscapedPath()
	doing, needs := fmt.Sprintf("read the keys below %q", prefix), fmt.Sprintf("key:read on %q", prefix)
	about, err := c.read(ctx, doing, needs, path, q, &pairs)
	var status *StatusError
	if errors.As(err, &status) && status.Code == http.StatusNotFound {
		if index, wrong := strconv.ParseUint(status.header.Get("X-Consul-Index"), 10, 64); wrong == nil {
			return nil, Answer{Index: max(index, 1), header: status.header}, nil
		}
	}
	return pairs, about, err
}

package rpc

import (
	"context"
	"strings"

	"github.com/rollcall-go/micro/metadata"
)

// EventHeader returns the metadata of ctx as the headers of a message that is published
// under it. What belongs to one connection or one call alone is left out, as in Outgoing.
// The map is the caller's.
func EventHeader(ctx context.Context) map[string]string {
	md, ok := metadata.FromContext(ctx)
	if !ok {
		return make(map[string]string, 2)
	}
	for name := range md {
		if confined(strings.ToLower(name)) {
			delete(md, name)
		}
	}
	return md
}

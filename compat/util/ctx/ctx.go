// Package ctx has what go-micro v2's util/ctx has: the headers of HTTP requests as
// metadata. It is frozen.
package ctx

import (
	"context"
	"net/http"
	"strings"

	"github.com/rollcall-go/micro/metadata"
)

// FromRequest returns a context with the request's headers as metadata, several values
// of one header with commas between. Calls that are made with it say what the request
// said; they do not end with it.
func FromRequest(r *http.Request) context.Context {
	md := make(metadata.Metadata, len(r.Header))
	for k, v := range r.Header {
		md[k] = strings.Join(v, ",")
	}
	return metadata.NewContext(context.Background(), md) // v2's does not follow that of r
}

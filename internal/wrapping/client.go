// Package wrapping is what wrappers around clients have in common.
package wrapping

import (
	"io"

	"github.com/rollcall-go/micro/client"
)

// Client is embedded by wrappers in place of the client that they wrap. It can be closed, as
// that one can.
type Client struct{ client.Client }

// Close closes the client inside, if it can be closed.
func (c Client) Close() error {
	if inner, ok := c.Client.(io.Closer); ok {
		return inner.Close()
	}
	return nil
}

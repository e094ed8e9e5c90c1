package client

import (
	"fmt"

	"github.com/rollcall-go/micro/codec"
)

// missing is the request or message of a client that is not linked in. It
// shows what it was made of; what would send it returns errNoImplementation.
type missing struct {
	service, endpoint, contentType string
	body                           any
	stream                         bool
}

var (
	_ Request = missing{}
	_ Message = missing{}
)

func (u missing) Service() string     { return u.service }
func (u missing) Method() string      { return u.endpoint }
func (u missing) Endpoint() string    { return u.endpoint }
func (u missing) ContentType() string { return u.contentType }
func (u missing) Body() any           { return u.body }
func (u missing) Codec() codec.Writer { return nil }
func (u missing) Stream() bool        { return u.stream }
func (u missing) Topic() string       { return u.service }
func (u missing) Payload() any        { return u.body }

func unlinked(doing string, req Request) error {
	if req == nil {
		return fmt.Errorf("%s a service: %w", doing, errNoImplementation)
	}
	return fmt.Errorf("%s %q: %w", doing, req.Service(), errNoImplementation)
}

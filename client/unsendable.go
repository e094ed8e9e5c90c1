package client

import (
	"fmt"

	"github.com/rollcall-go/micro/codec"
)

// unsendable is the request or message of a client that is not linked in. It
// shows what it was made of; what would send it returns errNoImplementation.
type unsendable struct {
	service, endpoint, contentType string
	body                           any
	stream                         bool
}

var (
	_ Request = unsendable{}
	_ Message = unsendable{}
)

func (u unsendable) Service() string     { return u.service }
func (u unsendable) Method() string      { return u.endpoint }
func (u unsendable) Endpoint() string    { return u.endpoint }
func (u unsendable) ContentType() string { return u.contentType }
func (u unsendable) Body() any           { return u.body }
func (u unsendable) Codec() codec.Writer { return nil }
func (u unsendable) Stream() bool        { return u.stream }
func (u unsendable) Topic() string       { return u.service }
func (u unsendable) Payload() any        { return u.body }

func unlinked(doing string, req Request) error {
	if req == nil {
		return fmt.Errorf("%s a service: %w", doing, errNoImplementation)
	}
	return fmt.Errorf("%s %q: %w", doing, req.Service(), errNoImplementation)
}

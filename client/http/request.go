package http

import (
	"github.com/rollcall-go/micro/client"
	"github.com/rollcall-go/micro/codec"
)

// request is what a call sends. It is not changed once made.
type request struct {
	service     string
	endpoint    string
	contentType string
	body        any
	stream      bool
	idempotent  bool
}

var _ client.Request = (*request)(nil)

func (r *request) Service() string     { return r.service }
func (r *request) Method() string      { return r.endpoint }
func (r *request) Endpoint() string    { return r.endpoint }
func (r *request) ContentType() string { return r.contentType }
func (r *request) Body() any           { return r.body }
func (r *request) Codec() codec.Writer { return nil }
func (r *request) Stream() bool        { return r.stream }

// Idempotent reports whether the method may run twice.
func (r *request) Idempotent() bool { return r.idempotent }

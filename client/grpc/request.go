package grpc

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

func newRequest(service, endpoint string, body any, contentType string, opts []client.RequestOption) *request {
	if len(opts) == 0 { // the options of a call that has none cost it nothing
		return &request{service: service, endpoint: endpoint, contentType: contentType, body: body}
	}
	// One allocation holds both.
	made := &struct {
		request
		options client.RequestOptions
	}{options: client.RequestOptions{ContentType: contentType}}
	o := &made.options
	for _, opt := range opts {
		opt(o)
	}
	if o.ContentType == "" {
		o.ContentType = contentType
	}
	made.request = request{service: service, endpoint: endpoint, contentType: o.ContentType, body: body, stream: o.Stream, idempotent: o.Idempotent}
	return &made.request
}

func (r *request) Service() string     { return r.service }
func (r *request) Method() string      { return r.endpoint }
func (r *request) Endpoint() string    { return r.endpoint }
func (r *request) ContentType() string { return r.contentType }
func (r *request) Body() any           { return r.body }
func (r *request) Codec() codec.Writer { return nil }
func (r *request) Stream() bool        { return r.stream }

// Idempotent reports whether the method may run twice.
func (r *request) Idempotent() bool { return r.idempotent }

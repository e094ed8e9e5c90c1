package grpc

import "github.com/rollcall-go/micro/client"

// message is something to publish. It is not changed once made.
type message struct {
	topic       string
	contentType string
	payload     any
}

var _ client.Message = (*message)(nil)

func newMessage(topic string, payload any, contentType string, opts []client.MessageOption) *message {
	o := client.MessageOptions{ContentType: contentType}
	for _, opt := range opts {
		opt(&o)
	}
	if o.ContentType == "" {
		o.ContentType = contentType
	}
	return &message{topic: topic, contentType: o.ContentType, payload: payload}
}

func (m *message) Topic() string       { return m.topic }
func (m *message) Payload() any        { return m.payload }
func (m *message) ContentType() string { return m.contentType }

package http

import (
	"fmt"
	"maps"

	"github.com/rollcall-go/micro/broker"
	"github.com/rollcall-go/micro/codec"
	"github.com/rollcall-go/micro/internal/delivery"
)

// The wire is go-micro v2.9.1's: docs/WIRE.md.
const (
	// serviceName is the service whose nodes are the subscriptions.
	serviceName = "micro.http.broker"
	// broadcastVersion is the version of those that get every message; the others have
	// the name of their queue.
	broadcastVersion = "ff.http.broadcast"
	// topicHeader is the message's header that has the topic.
	topicHeader = "Micro-Topic"
	// keyHeader has a text that is another one for each message of a publisher, also
	// when it is posted again. It is sent to subscriptions of ours alone.
	keyHeader = "Idempotency-Key"
	// errorID is the id of errors in answers.
	errorID = "go.micro.broker"
)

// What the metadata of a subscription say, beside record.Mark.
const (
	brokerKey = "broker" // "http"
	secureKey = "secure" // "true" or "false"
	topicKey  = "topic"
)

// encode returns the body of the request that posts m.
func encode(c codec.Marshaler, topic string, m *broker.Message, limit int) ([]byte, error) {
	sent := &broker.Message{Header: maps.Clone(m.Header), Body: m.Body}
	if sent.Header == nil {
		sent.Header = map[string]string{}
	}
	sent.Header[topicHeader] = topic
	if n := delivery.Size(sent); n > limit {
		return nil, fmt.Errorf("%w: %d bytes, %d is the limit: raise it with http.MaxMessageSize, on both sides", broker.ErrTooLarge, n, limit)
	}
	body, err := c.Marshal(sent)
	if err != nil {
		return nil, fmt.Errorf("encode the message: %w", err)
	}
	return body, nil
}

// decode returns the message in the body of a request, and its topic, which may be empty.
func decode(c codec.Marshaler, body []byte) (*broker.Message, string, error) {
	var m *broker.Message
	if err := c.Unmarshal(body, &m); err != nil {
		return nil, "", err
	}
	if m == nil {
		m = &broker.Message{}
	}
	return m, m.Header[topicHeader], nil
}

// bodyLimit is how long the body of a request may be that has a message of limit bytes:
// base64 takes a third more, and headers are quoted.
func bodyLimit(limit int) int64 { return int64(limit)/3*4 + 1<<20 }

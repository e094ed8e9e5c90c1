package server

import "context"

// HandlerFunc serves one request. The request is decoded in req.Body(); rsp is
// a pointer to the answer, or the Stream where req.Stream() holds.
type HandlerFunc func(ctx context.Context, req Request, rsp any) error

// SubscriberFunc receives one message, decoded in msg.Payload().
type SubscriberFunc func(ctx context.Context, msg Message) error

// HandlerWrapper surrounds a HandlerFunc.
type HandlerWrapper func(HandlerFunc) HandlerFunc

// SubscriberWrapper surrounds a SubscriberFunc.
type SubscriberWrapper func(SubscriberFunc) SubscriberFunc

// StreamWrapper surrounds a Stream.
type StreamWrapper func(Stream) Stream

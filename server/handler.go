package server

import "context"

// HandlerOptions are the settings of a handler.
type HandlerOptions struct {
	// Internal keeps the handler's endpoints out of the registry. It is served
	// like any other.
	Internal bool
	// Metadata is added to the endpoints of these names.
	Metadata map[string]map[string]string
}

// SubscriberOptions are the settings of a subscriber.
type SubscriberOptions struct {
	// AutoAck acknowledges each message whose subscriber returned no error.
	AutoAck bool
	// Queue shares the messages out among the subscribers that name the same one.
	// Empty means that each gets all.
	Queue string
	// Internal keeps the subscriber out of the registry.
	Internal bool
	// Context carries the settings of one broker. May be nil.
	Context context.Context
}

// NewSubscriberOptions returns the defaults with the options applied. AutoAck
// is on by default.
func NewSubscriberOptions(opts ...SubscriberOption) SubscriberOptions {
	o := SubscriberOptions{
		AutoAck: true,
		Context: context.Background(), // carries values only
	}
	for _, opt := range opts {
		opt(&o)
	}
	return o
}

// EndpointMetadata adds metadata to the endpoint of the given name, such as
// "Greeter.Hello".
func EndpointMetadata(name string, md map[string]string) HandlerOption {
	return func(o *HandlerOptions) {
		if o.Metadata == nil {
			o.Metadata = make(map[string]map[string]string)
		}
		o.Metadata[name] = md
	}
}

// InternalHandler keeps the handler's endpoints out of the registry.
func InternalHandler(b bool) HandlerOption {
	return func(o *HandlerOptions) { o.Internal = b }
}

// InternalSubscriber keeps the subscriber out of the registry.
func InternalSubscriber(b bool) SubscriberOption {
	return func(o *SubscriberOptions) { o.Internal = b }
}

// DisableAutoAck leaves it to the subscriber to acknowledge messages.
func DisableAutoAck() SubscriberOption {
	return func(o *SubscriberOptions) { o.AutoAck = false }
}

// SubscriberQueue shares the messages out among the subscribers that name the
// same queue.
func SubscriberQueue(n string) SubscriberOption {
	return func(o *SubscriberOptions) { o.Queue = n }
}

// SubscriberContext sets the context that carries settings of the broker.
func SubscriberContext(ctx context.Context) SubscriberOption {
	return func(o *SubscriberOptions) { o.Context = ctx }
}

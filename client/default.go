package client

import (
	"context"
	"time"

	"github.com/rollcall-go/micro/internal/defaults"
)

var (
	// DefaultClient is what the functions of this package use. It makes its client
	// on first use. It belongs to the program; set it before the first call.
	DefaultClient Client = &deferred{}

	// NewClient returns a client of its own. It makes the client of client/grpc
	// where that package is linked in.
	NewClient func(...Option) Client = newClient

	// DefaultBackoff is the wait before an attempt, unless options say otherwise.
	DefaultBackoff = exponentialBackoff
	// DefaultRetry decides on a retry, unless options say otherwise.
	DefaultRetry = RetryWhenSafe
	// DefaultRetries is how many times a failed call may be tried again.
	DefaultRetries = defaults.Retries
	// DefaultRetryBudget is the value of Options.RetryBudget unless options say
	// otherwise.
	DefaultRetryBudget = defaults.RetryBudget
	// DefaultRequestTimeout bounds a call whose context has no deadline, all its
	// attempts together.
	DefaultRequestTimeout time.Duration = defaults.RequestTimeout

	// DefaultPoolSize is the value of Options.PoolSize unless options say
	// otherwise.
	DefaultPoolSize = defaults.PoolSize
	// DefaultPoolTTL is the value of Options.PoolTTL unless options say otherwise.
	DefaultPoolTTL = time.Minute

	// DefaultContentType is the value of Options.ContentType unless options or the
	// implementation say otherwise.
	DefaultContentType = "application/protobuf"
)

// Call calls a service through DefaultClient.
func Call(ctx context.Context, request Request, response any, opts ...CallOption) error {
	return DefaultClient.Call(ctx, request, response, opts...)
}

// Publish publishes a message through DefaultClient.
func Publish(ctx context.Context, msg Message, opts ...PublishOption) error {
	return DefaultClient.Publish(ctx, msg, opts...)
}

// NewMessage prepares a message for Publish.
func NewMessage(topic string, payload any, opts ...MessageOption) Message {
	return DefaultClient.NewMessage(topic, payload, opts...)
}

// NewRequest prepares a request for Call or NewStream.
func NewRequest(service, endpoint string, request any, reqOpts ...RequestOption) Request {
	return DefaultClient.NewRequest(service, endpoint, request, reqOpts...)
}

// NewStream opens a stream through DefaultClient. The caller must Close it.
func NewStream(ctx context.Context, request Request, opts ...CallOption) (Stream, error) {
	return DefaultClient.Stream(ctx, request, opts...)
}

// String names the implementation behind DefaultClient.
func String() string {
	return DefaultClient.String()
}

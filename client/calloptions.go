package client

import (
	"context"
	"slices"
	"time"

	"github.com/rollcall-go/micro/client/selector"
)

// WithExchange publishes to e in place of the message's topic.
func WithExchange(e string) PublishOption {
	return func(o *PublishOptions) { o.Exchange = e }
}

// PublishContext sets the context that carries settings of the implementation.
func PublishContext(ctx context.Context) PublishOption {
	return func(o *PublishOptions) { o.Context = ctx }
}

// WithAddress names the hosts to call, host:port, in place of a lookup.
func WithAddress(a ...string) CallOption {
	return func(o *CallOptions) { o.Address = a }
}

// WithSelectOption adds to the options that go to the selector.
func WithSelectOption(so ...selector.SelectOption) CallOption {
	return func(o *CallOptions) { o.SelectOptions = slices.Concat(o.SelectOptions, so) }
}

// WithCallWrapper adds to the wrappers that surround each attempt.
func WithCallWrapper(cw ...CallWrapper) CallOption {
	return func(o *CallOptions) { o.CallWrappers = slices.Concat(o.CallWrappers, cw) }
}

// WithBackoff sets the wait before each attempt.
func WithBackoff(fn BackoffFunc) CallOption {
	return func(o *CallOptions) { o.Backoff = fn }
}

// WithRetry sets what decides whether the call is tried again.
func WithRetry(fn RetryFunc) CallOption {
	return func(o *CallOptions) { o.Retry = fn }
}

// WithRetries sets how many times the call may be tried again.
func WithRetries(i int) CallOption {
	return func(o *CallOptions) { o.Retries = i }
}

// WithIdempotent says whether the method may run twice, whatever the request says of it.
func WithIdempotent(yes bool) CallOption {
	return func(o *CallOptions) { o.Idempotent, o.given = yes, o.given|SettingIdempotent }
}

// HedgeAtP95 is a time to wait before a call is hedged: that in which 95 of 100 calls to
// the service were answered. As long as too few were, calls are not hedged.
const HedgeAtP95 time.Duration = -1

// WithHedge sets how long an idempotent call waits for an answer before it is sent to a
// second node as well; the first answer is taken and the other attempt cancelled. The
// second one counts against the budget of Options.RetryBudget. Each attempt goes through
// the call wrappers, at the same time as the other, with a response of its own.
func WithHedge(after time.Duration) CallOption {
	return func(o *CallOptions) { o.Hedge = after }
}

// WithRequestTimeout sets the bound of the call, all its attempts together.
func WithRequestTimeout(d time.Duration) CallOption {
	return func(o *CallOptions) { o.RequestTimeout, o.given = d, o.given|SettingRequestTimeout }
}

// WithStreamTimeout sets the bound of the stream.
func WithStreamTimeout(d time.Duration) CallOption {
	return func(o *CallOptions) { o.StreamTimeout = d }
}

// WithDialTimeout sets the bound of making a connection, for implementations
// that make one for a call. client/grpc does not and ignores it.
func WithDialTimeout(d time.Duration) CallOption {
	return func(o *CallOptions) { o.DialTimeout, o.given = d, o.given|SettingDialTimeout }
}

// WithServiceToken asks for the service's own token in place of the caller's.
func WithServiceToken() CallOption {
	return func(o *CallOptions) { o.ServiceToken = true }
}

// WithCache lets the answer be served from the cache for the given time.
func WithCache(c time.Duration) CallOption {
	return func(o *CallOptions) { o.CacheExpiry = c }
}

// WithMessageContentType sets the encoding of the message.
func WithMessageContentType(ct string) MessageOption {
	return func(o *MessageOptions) { o.ContentType = ct }
}

// WithContentType sets the encoding of the request.
func WithContentType(ct string) RequestOption {
	return func(o *RequestOptions) { o.ContentType = ct }
}

// StreamingRequest says that the request opens a stream.
func StreamingRequest() RequestOption {
	return func(o *RequestOptions) { o.Stream = true }
}

// IdempotentRequest says that the method may run twice. Generated code says it of
// methods with the option idempotency_level.
func IdempotentRequest() RequestOption {
	return func(o *RequestOptions) { o.Idempotent = true }
}

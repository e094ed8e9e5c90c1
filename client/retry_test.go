package client_test

import (
	"context"
	stderrors "errors"
	"fmt"
	"testing"
	"time"

	"github.com/rollcall-go/micro/client"
	"github.com/rollcall-go/micro/errors"
	"github.com/rollcall-go/micro/internal/attempt"
)

func TestRetry(t *testing.T) {
	ctx := t.Context()
	unwritten := attempt.Mark(ctx, attempt.Facts{Unrun: true})
	idempotent := attempt.Mark(ctx, attempt.Facts{Idempotent: true})
	internal := errors.InternalServerError("id", "broken")
	for _, tc := range []struct {
		name  string
		retry client.RetryFunc
		ctx   context.Context
		err   error
		want  bool
	}{
		{"default, written", client.DefaultRetry, ctx, internal, false},
		{"default, unwritten", client.DefaultRetry, unwritten, internal, true},
		{"default, no error", client.DefaultRetry, unwritten, nil, false},
		{"default, idempotent, 500", client.DefaultRetry, idempotent, internal, true},
		{"default, idempotent, 503", client.DefaultRetry, idempotent, errors.New("id", "gone", 503), true},
		{"default, idempotent, 404", client.DefaultRetry, idempotent, errors.NotFound("id", "gone"), false},
		{"default, idempotent, 429", client.DefaultRetry, idempotent, errors.New("id", "too many", 429), false},
		{"default, idempotent, foreign", client.DefaultRetry, idempotent, context.DeadlineExceeded, false},
		{"default, idempotent, no error", client.DefaultRetry, idempotent, nil, false},
		{"always", client.RetryAlways, ctx, internal, true},
		{"on error, 500", client.RetryOnError, ctx, internal, true},
		{"on error, 408", client.RetryOnError, ctx, errors.Timeout("id", "late"), true},
		{"on error, wrapped", client.RetryOnError, ctx, fmt.Errorf("call: %w", internal), true},
		{"on error, as text", client.RetryOnError, ctx, stderrors.New(internal.Error()), true},
		{"on error, 404", client.RetryOnError, ctx, errors.NotFound("id", "gone"), false},
		{"on error, foreign", client.RetryOnError, ctx, context.DeadlineExceeded, false},
		{"on error, none", client.RetryOnError, ctx, nil, false},
	} {
		if got, err := tc.retry(tc.ctx, nil, 0, tc.err); got != tc.want || err != nil {
			t.Errorf("%s: got %t, %v, want %t", tc.name, got, err, tc.want)
		}
	}
}

func TestBackoff(t *testing.T) {
	for n, want := range map[int]time.Duration{
		-1: 0, 0: 0, 1: 100 * time.Millisecond, 2: 600 * time.Millisecond, 3: 1900 * time.Millisecond, 14: 2 * time.Minute, 1 << 40: 2 * time.Minute,
	} {
		if got, err := client.DefaultBackoff(t.Context(), nil, n); got != want || err != nil {
			t.Errorf("attempt %d: got %v, %v, want %v", n, got, err, want)
		}
	}
}

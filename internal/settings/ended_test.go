package settings

import (
	"context"
	"errors"
	"testing"
)

func TestEnded(t *testing.T) {
	var none context.Context
	if err := errors.Join(Ended(none), Ended(t.Context())); err != nil {
		t.Errorf("a context that is not over: %v", err)
	}
	reason := errors.New("the caller went home")
	for want, cause := range map[string]error{
		"context canceled":                       nil,
		"the caller went home: context canceled": reason,
	} {
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(cause)
		err := Ended(ctx)
		if err == nil || err.Error() != want || !errors.Is(err, context.Canceled) || cause != nil && !errors.Is(err, cause) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

package main

import (
	"context"
	"io"
	"strings"
	"testing"

	"github.com/rollcall-go/micro/internal/operate"
)

// TestAnInterruptEndsTheWaitForInput: the first Ctrl-C is ours to obey.
func TestAnInterruptEndsTheWaitForInput(t *testing.T) {
	in, typing := io.Pipe()
	defer typing.Close()
	ctx, interrupt := context.WithCancel(t.Context())
	interrupt()
	if _, err := bodyOf(ctx, "-", in); err == nil || !strings.Contains(err.Error(), "interrupted") {
		t.Errorf("got %v", err)
	}
}

func TestAlreadyPaused(t *testing.T) {
	for want, by := range map[string]operate.Pause{
		"was paused already":                {},
		"was paused already, by me":         {By: "me"},
		"was paused already at noon":        {At: "noon"},
		"was paused already, by me at noon": {By: "me", At: "noon"},
	} {
		if got := alreadyPaused(by); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

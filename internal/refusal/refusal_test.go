package refusal

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"testing"
	"time"
)

func TestMark(t *testing.T) {
	for _, tt := range []struct {
		kind       Kind
		permission bool
		patience   time.Duration
		bounded    bool
	}{
		{None, false, 0, false}, {Login, true, 0, true}, {Right, true, 0, true}, {Mismatch, false, 500 * time.Millisecond, true},
	} {
		err := fmt.Errorf("outer: %w", Mark(tt.kind, io.EOF))
		if Of(err) != tt.kind || !errors.Is(err, io.EOF) || errors.Is(err, fs.ErrPermission) != tt.permission || err.Error() != "outer: EOF" {
			t.Errorf("kind %d: %v is of kind %d", tt.kind, err, Of(err))
		}
		if d, ok := tt.kind.Patience(); d != tt.patience || ok != tt.bounded {
			t.Errorf("kind %d is waited for %v, %v", tt.kind, d, ok)
		}
	}
	if Mark(Login, nil) != nil || Of(nil) != None {
		t.Error("no error has a kind")
	}
	if Of(fmt.Errorf("outer: %w", fs.ErrPermission)) != Right || Of(Mark(Mismatch, fs.ErrPermission)) != Mismatch {
		t.Error("an fs.ErrPermission is not told from a marked one")
	}
	if Of(Mark(Mismatch, Mark(Right, io.EOF))) != Right {
		t.Error("the first mark does not count")
	}
}

package grpc

import (
	"context"
	stderrors "errors"
	"fmt"
	"io/fs"
	"testing"

	"github.com/rollcall-go/micro/client/selector"
	"github.com/rollcall-go/micro/errors"
	"github.com/rollcall-go/micro/internal/discovery"
	"github.com/rollcall-go/micro/internal/pick"
	"github.com/rollcall-go/micro/internal/refusal"
)

// A refusal is 401 or 403, whoever was refused: the client's own lookup, or a
// selector of the program.
func TestCodeOfARefusal(t *testing.T) {
	cause := stderrors.New("no")
	login, right := refusal.Mark(refusal.Login, cause), refusal.Mark(refusal.Right, cause)
	p := new(pick.Picker)
	for _, tt := range []struct {
		err  error
		code int32
	}{
		{p.Missing(&discovery.Snapshot{}, login), 401},
		{p.Missing(&discovery.Snapshot{}, right), 403},
		{p.Missing(&discovery.Snapshot{}, refusal.Mark(refusal.Mismatch, cause)), 500},
		{p.Missing(&discovery.Snapshot{Known: true}, right), 500}, // what is known counts
		{fmt.Errorf("look up: %w", login), 401},
		{fmt.Errorf("look up: %w", right), 403},
		{fmt.Errorf("look up: %w", fs.ErrPermission), 403},
		{selector.ErrNotFound, 500},
		{context.Canceled, 500},
	} {
		err := selectError("s", tt.err)
		if got := errors.FromError(err); got.Code != tt.code || !stderrors.Is(err, tt.err) {
			t.Errorf("%v: %v, want code %d", tt.err, err, tt.code)
		}
	}
}

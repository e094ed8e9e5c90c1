package fleet

import (
	"context"
	"io"
	"time"

	"github.com/rollcall-go/micro/codec/bytes"
	"github.com/rollcall-go/micro/errors"
	"github.com/rollcall-go/micro/internal/testkit/micropb/kinds"
	"github.com/rollcall-go/micro/internal/testkit/micropb/shared"
	"github.com/rollcall-go/micro/metadata"
	"github.com/rollcall-go/micro/server"
)

// PauseHeader is a header with the time that Talk.Count waits before each message.
const PauseHeader = "Pause"

// errDamagedCode is the code of errDamaged, which says that a payload is not what was
// sent.
const errDamagedCode = 499

var errDamaged = errors.New("talk", "the request has another checksum than was sent with it", errDamagedCode)

// Talk is served by every process of a fleet, with a method of every kind. What it is
// sent must be sealed.
type Talk struct{}

var _ kinds.TalkHandler = Talk{}

// Say answers with what it gets.
func (Talk) Say(_ context.Context, in, out *kinds.Words) error {
	if !sealed(in.Text) {
		return errDamaged
	}
	out.Text, out.Number = in.Text, in.Number
	return nil
}

// ReadAll answers nothing.
func (Talk) ReadAll(context.Context, *shared.Text, *kinds.Words) error { return nil }

// Old answers nothing.
func (Talk) Old(context.Context, *kinds.Words, *shared.Text) error { return nil }

// Count sends as many messages as it is asked for.
func (Talk) Count(ctx context.Context, in *kinds.Words, stream kinds.Talk_CountStream) error {
	if !sealed(in.Text) {
		return errDamaged
	}
	text, _ := metadata.Get(ctx, PauseHeader)
	pause, _ := time.ParseDuration(text) // none without the header
	for i := range in.Number {
		if wait(ctx, pause); ctx.Err() != nil {
			return ctx.Err()
		}
		if err := stream.Send(&kinds.Words{Text: in.Text, Number: i}); err != nil {
			return err
		}
	}
	return nil
}

// Sum answers with how many messages there were, and the checksum of all.
func (Talk) Sum(_ context.Context, stream kinds.Talk_SumStream) error {
	var all []string
	for {
		in, err := stream.Recv()
		if err == io.EOF {
			return stream.SendAndClose(&kinds.Words{Text: checksum(all...), Number: int64(len(all))})
		}
		if err != nil {
			return err
		}
		if !sealed(in.Text) {
			return errDamaged
		}
		all = append(all, in.Text)
	}
}

// Chat answers each message with itself.
func (Talk) Chat(_ context.Context, stream kinds.Talk_ChatStream) error {
	for {
		in, err := stream.Recv()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if !sealed(in.Text) {
			return errDamaged
		}
		if err := stream.Send(in); err != nil {
			return err
		}
	}
}

// Raw is served by every process of a fleet too: bytes, of a call and of a stream.
type Raw struct{}

// Echo answers with what it gets.
func (*Raw) Echo(_ context.Context, in, out *bytes.Frame) error {
	if !sealed(string(in.Data)) {
		return errDamaged
	}
	out.Data = in.Data
	return nil
}

// Talk answers each message with itself.
func (*Raw) Talk(_ context.Context, stream server.Stream) error {
	for {
		var f bytes.Frame
		if err := stream.Recv(&f); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		if !sealed(string(f.Data)) {
			return errDamaged
		}
		if err := stream.Send(&f); err != nil {
			return err
		}
	}
}

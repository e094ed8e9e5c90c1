package fleet

import (
	"context"
	stderrors "errors"
	"fmt"
	"io"
	"math/rand/v2"
	"time"

	"github.com/rollcall-go/micro/client"
	"github.com/rollcall-go/micro/codec/bytes"
	"github.com/rollcall-go/micro/errors"
	"github.com/rollcall-go/micro/internal/testkit/micropb/kinds"
)

// How long a call or a stream of the mix may take.
const (
	mixTimeout  = 3 * time.Second
	mixMessages = 12 // of one stream at most
)

const (
	contentProto = "application/grpc+proto"
	contentJSON  = "application/json"
	contentBytes = "application/grpc+bytes"
)

// wrongError is an answer that is not the one to the question.
type wrongError struct{ error }

func wrong(format string, args ...any) error { return wrongError{fmt.Errorf(format, args...)} }

// conversation is one call or stream of a kind, with payloads that are checked.
type conversation func(ctx context.Context, c client.Client, service string) error

// conversations are the kinds, each by generated code or by hand.
var conversations = map[string]conversation{
	"unary, generated":         sayGenerated,
	"unary, JSON":              sayJSON,
	"unary, JSON of a struct":  func(ctx context.Context, c client.Client, service string) error { return sayStruct(ctx, c, service) },
	"unary, bytes":             sayBytes,
	"from the server":          countGenerated,
	"from the server, JSON":    countByHand,
	"to the server":            sumGenerated,
	"to the server, JSON":      sumByHand,
	"both ways":                chatGenerated,
	"both ways, JSON, at once": chatAtOnce,
	"both ways, bytes":         chatBytes,
	"dropped half read":        countDropped,
}

func options() []client.CallOption {
	return []client.CallOption{client.WithRequestTimeout(mixTimeout), client.WithStreamTimeout(mixTimeout)}
}

// words returns what to send.
func words() *kinds.Words {
	return &kinds.Words{Text: Seal(anySize()), Number: int64(1 + rand.IntN(mixMessages))}
}

// same returns an error unless the answer is what was sent, with the number.
func same(sent, got *kinds.Words, number int64) error {
	if got.Text != sent.Text || got.Number != number {
		return wrong("sent %.60q and %d, got %.60q and %d", sent.Text, number, got.Text, got.Number)
	}
	return nil
}

func sayGenerated(ctx context.Context, c client.Client, service string) error {
	in := words()
	out, err := kinds.NewTalkService(service, c).Say(ctx, in, options()...)
	if err != nil {
		return err
	}
	return same(in, out, in.Number)
}

func sayJSON(ctx context.Context, c client.Client, service string) error {
	in, out := words(), &kinds.Words{}
	if err := c.Call(ctx, c.NewRequest(service, "Talk.Say", in, client.WithContentType(contentJSON)), out, options()...); err != nil {
		return err
	}
	return same(in, out, in.Number)
}

func sayStruct(ctx context.Context, c client.Client, service string) error {
	in := Seal(anySize())
	out, err := Call(ctx, c, service, "Say", in, options()...)
	if err == nil && in != out {
		return wrong("sent %.60q, got %.60q", in, out)
	}
	return err
}

func sayBytes(ctx context.Context, c client.Client, service string) error {
	in, out := []byte(Seal(anySize())), []byte(nil)
	if err := c.Call(ctx, c.NewRequest(service, "Raw.Echo", &in, client.WithContentType(contentBytes)), &out, options()...); err != nil {
		return err
	}
	if string(in) != string(out) {
		return wrong("sent %.60q, got %.60q", in, out)
	}
	return nil
}

// counted reads a stream from the server to its end.
func counted(in *kinds.Words, recv func() (*kinds.Words, error)) error {
	for i := int64(0); ; i++ {
		out, err := recv()
		if err == io.EOF && i == in.Number {
			return nil
		}
		if err == io.EOF || err == nil && i == in.Number {
			return wrong("asked for %d messages, message %d is %.60q, %v", in.Number, i, out.GetText(), err)
		}
		if err != nil {
			return err
		}
		if err := same(in, out, i); err != nil {
			return err
		}
	}
}

func countGenerated(ctx context.Context, c client.Client, service string) error {
	in := words()
	stream, err := kinds.NewTalkService(service, c).Count(ctx, in, options()...)
	if err != nil {
		return err
	}
	defer stream.Close()
	return counted(in, stream.Recv)
}

// open opens a stream by hand.
func open(ctx context.Context, c client.Client, service, endpoint, contentType string) (client.Stream, error) {
	return c.Stream(ctx, c.NewRequest(service, endpoint, nil, client.WithContentType(contentType)), options()...)
}

func recvFrom(stream client.Stream) func() (*kinds.Words, error) {
	return func() (*kinds.Words, error) {
		out := &kinds.Words{}
		return out, stream.Recv(out)
	}
}

func countByHand(ctx context.Context, c client.Client, service string) error {
	stream, err := open(ctx, c, service, "Talk.Count", contentJSON)
	if err != nil {
		return err
	}
	defer stream.Close()
	in := words()
	if err := client.SendLast(stream, in); err != nil {
		return err
	}
	return counted(in, recvFrom(stream))
}

// countDropped reads one message and leaves the rest.
func countDropped(ctx context.Context, c client.Client, service string) error {
	in := words()
	stream, err := kinds.NewTalkService(service, c).Count(ctx, in, options()...)
	if err != nil {
		return err
	}
	defer stream.Close()
	out, err := stream.Recv()
	if err != nil {
		return err
	}
	return same(in, out, 0)
}

// summed sends some messages and checks the answer to all.
func summed(send func(*kinds.Words) error, closeAndRecv func() (*kinds.Words, error)) error {
	var sent []string
	for range rand.IntN(mixMessages) {
		in := words()
		if err := send(in); err == io.EOF {
			return wrong("the server ended the stream without an error before it had all")
		} else if err != nil {
			return err
		}
		sent = append(sent, in.Text)
	}
	out, err := closeAndRecv()
	if err != nil {
		return err
	}
	return same(&kinds.Words{Text: checksum(sent...)}, out, int64(len(sent)))
}

func sumGenerated(ctx context.Context, c client.Client, service string) error {
	stream, err := kinds.NewTalkService(service, c).Sum(ctx, options()...)
	if err != nil {
		return err
	}
	defer stream.Close()
	return summed(stream.Send, stream.CloseAndRecv)
}

func sumByHand(ctx context.Context, c client.Client, service string) error {
	stream, err := open(ctx, c, service, "Talk.Sum", contentJSON)
	if err != nil {
		return err
	}
	defer stream.Close()
	return summed(func(in *kinds.Words) error { return stream.Send(in) }, func() (*kinds.Words, error) {
		out := &kinds.Words{}
		return out, client.CloseAndRecv(stream, out)
	})
}

func chatGenerated(ctx context.Context, c client.Client, service string) error {
	stream, err := kinds.NewTalkService(service, c).Chat(ctx, options()...)
	if err != nil {
		return err
	}
	defer stream.Close()
	for range rand.IntN(mixMessages) {
		in := words()
		if err := stream.Send(in); err != nil {
			return ended(err)
		}
		out, err := stream.Recv()
		if err != nil {
			return ended(err)
		}
		if err := same(in, out, in.Number); err != nil {
			return err
		}
	}
	if err := stream.CloseSend(); err != nil {
		return err
	}
	return atEnd(stream.Recv())
}

// ended is the error of a stream that goes on: it has not ended well.
func ended(err error) error {
	if err == io.EOF {
		return wrong("the server ended the stream without an error before the client did")
	}
	return err
}

// atEnd returns nil if the stream ended well.
func atEnd(out *kinds.Words, err error) error {
	if err == nil {
		return wrong("a message after the last: %.60q", out.Text)
	}
	if err == io.EOF {
		return nil
	}
	return err
}

// chatAtOnce sends while another goroutine receives.
func chatAtOnce(ctx context.Context, c client.Client, service string) error {
	stream, err := open(ctx, c, service, "Talk.Chat", contentJSON)
	if err != nil {
		return err
	}
	defer stream.Close()
	all := make([]*kinds.Words, rand.IntN(mixMessages))
	for i := range all {
		all[i] = words()
	}
	sent := make(chan error, 1)
	go func() {
		for _, in := range all {
			if err := stream.Send(in); err != nil {
				sent <- err
				return
			}
		}
		sent <- client.CloseSend(stream)
	}()
	received := func() error {
		for _, in := range all {
			out := &kinds.Words{}
			if err := stream.Recv(out); err != nil {
				return ended(err)
			}
			if err := same(in, out, in.Number); err != nil {
				return err
			}
		}
		return atEnd(recvFrom(stream)())
	}()
	// Whoever receives learns how the stream ended; who sends may be told io.EOF then.
	_ = stream.Close()
	if err := <-sent; received == nil {
		return err
	}
	return received
}

func chatBytes(ctx context.Context, c client.Client, service string) error {
	stream, err := open(ctx, c, service, "Raw.Talk", contentBytes)
	if err != nil {
		return err
	}
	defer stream.Close()
	for range rand.IntN(mixMessages) {
		in, out := bytes.Frame{Data: []byte(Seal(anySize()))}, bytes.Frame{}
		if err := stream.Send(&in); err != nil {
			return ended(err)
		}
		if err := stream.Recv(&out); err != nil {
			return ended(err)
		}
		if string(in.Data) != string(out.Data) {
			return wrong("sent %.60q, got %.60q", in.Data, out.Data)
		}
	}
	return client.CloseSend(stream)
}

// isWrong tells whether an answer was not the one to the question, or the question not
// the one that was asked.
func isWrong(err error) bool {
	var w wrongError
	return stderrors.As(err, &w) || errors.FromError(err).GetCode() == errDamagedCode
}

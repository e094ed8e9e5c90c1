package grpc

import (
	"context"
	stderrors "errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/rollcall-go/micro/client"
	"github.com/rollcall-go/micro/client/selector"
	"github.com/rollcall-go/micro/errors"
	"github.com/rollcall-go/micro/internal/calling"
	"github.com/rollcall-go/micro/internal/endpoint"
	"github.com/rollcall-go/micro/internal/pick"
	"github.com/rollcall-go/micro/internal/refusal"
	"github.com/rollcall-go/micro/internal/rpc"
)

// failure returns an error that the client made, with code 500. The cause may be
// nil.
func failure(detail string, cause error) error {
	return errors.Wrap(rpc.ClientID, detail, http.StatusInternalServerError, cause)
}

// expired returns why ctx has ended, nil if it has not. It goes by the clock, as
// grpc and the server do: the timer of ctx may fire later.
func expired(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if d, bounded := ctx.Deadline(); bounded && !time.Now().Before(d) {
		return context.DeadlineExceeded
	}
	return nil
}

// timeoutError returns the error of a call whose context is over. It begins with the
// text of the context's error; more, which may be empty, says what was waited for.
func timeoutError(ctx context.Context, more string) error {
	err := expired(ctx)
	detail := err.Error()
	if more != "" && more != detail {
		detail += ": " + strings.TrimPrefix(more, detail+": ")
	}
	return errors.Wrap(rpc.ClientID, detail, http.StatusRequestTimeout, err)
}

// timeoutErrorFrom is timeoutError for a cause that errors.Is is to find as well.
func timeoutErrorFrom(ctx context.Context, cause error) error {
	err := expired(ctx)
	return errors.Wrap(rpc.ClientID, err.Error()+": "+textOf(cause), http.StatusRequestTimeout, stderrors.Join(err, cause))
}

// textOf returns what err says. An errors.Error is JSON as a text; what it says is
// its detail.
func textOf(err error) string {
	if e, ok := err.(*errors.Error); ok && e.GetDetail() != "" {
		return e.GetDetail()
	}
	return err.Error()
}

// callError returns what the caller gets for the error of a call over gRPC.
func callError(ctx context.Context, req client.Request, err error) error {
	if endpoint.Unwritten(err) {
		return failure(err.Error(), err)
	}
	s, ok := status.FromError(err)
	if !ok {
		return rpc.FromStatus(err)
	}
	switch code, text := s.Code(), s.Message(); {
	case (code == codes.DeadlineExceeded || code == codes.Canceled) && expired(ctx) != nil:
		return timeoutError(ctx, text)
	case code == codes.Internal && strings.HasPrefix(text, undecoded):
		text, what := strings.TrimPrefix(text, undecoded), "the answer of"
		if reason, sent := strings.CutPrefix(text, rpc.OfRequest); sent {
			text, what = reason, "the request to"
		}
		return failure(fmt.Sprintf("decode %s %q %q, content type %q: %s", what, req.Service(), req.Endpoint(), req.ContentType(), text), err)
	case code == codes.ResourceExhausted && strings.Contains(text, "trying to send message larger than max"):
		return failure(text+"; allow more with the option MaxSendMsgSize of client/grpc for a request, MaxMsgSize of server/grpc for an answer", err)
	case code == codes.Internal && strings.HasPrefix(text, "grpc: Compressor is not installed"):
		return errors.Wrap(rpc.ClientID, text+`; known are "gzip" and what this program registers by encoding.RegisterCompressor of grpc`, http.StatusNotImplemented, err)
	case code == codes.Unimplemented && strings.HasPrefix(text, "grpc: Decompressor is not installed"):
		return errors.Wrap(rpc.ClientID, fmt.Sprintf(`the server of %q: %s; servers know "gzip" and what their program registers by encoding.RegisterCompressor of grpc`, req.Service(), text), http.StatusNotImplemented, err)
	case code == codes.ResourceExhausted && strings.Contains(text, "received message larger than max"):
		return failure(text+"; allow more with the option MaxRecvMsgSize of client/grpc for an answer, MaxMsgSize of server/grpc for a request", err)
	default:
		return rpc.FromStatus(err)
	}
}

// undecoded is how grpc begins when an answer cannot be decoded or, told by the
// server, a request.
const undecoded = "grpc: failed to unmarshal the received message: "

// selectError returns the error of a call for which there is no node. The text
// begins as go-micro's always did, for programs that look at it.
func selectError(service string, err error) error {
	reason := textOf(err)
	var e *pick.Error
	if stderrors.As(err, &e) {
		reason = strings.TrimPrefix(reason, fmt.Sprintf("service %q: ", e.Service))
	}
	if stderrors.Is(err, selector.ErrNotFound) {
		return failure(fmt.Sprintf("service %s: %s", service, reason), calling.NotFound(err))
	}
	code := int32(http.StatusInternalServerError)
	switch kind := refusal.Of(err); {
	case e != nil && e.Reason == pick.Refused, e == nil && kind == refusal.Login:
		code = http.StatusUnauthorized
	case e != nil && e.Reason == pick.Forbidden, e == nil && kind == refusal.Right:
		code = http.StatusForbidden
	}
	return errors.Wrap(rpc.ClientID, fmt.Sprintf("error selecting %s node: %s", service, reason), code, err)
}

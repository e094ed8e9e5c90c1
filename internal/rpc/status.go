package rpc

import (
	"context"
	stderrors "errors"
	"io"
	"net/http"
	"os"
	"strings"

	spb "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/anypb"

	"github.com/rollcall-go/micro/errors"
	"github.com/rollcall-go/micro/internal/protomsg"
)

const (
	// ClientID is the id of errors that a client makes.
	ClientID = "go.micro.client"
	// ServerID is the id of errors that a server makes.
	ServerID = "go.micro.server"

	typeURLPrefix = "type.googleapis.com/"
)

// httpCodes maps the codes of gRPC to those of errors.Error. A code that is not
// listed is 500.
var httpCodes = map[codes.Code]int32{
	codes.Canceled:           http.StatusRequestTimeout,
	codes.InvalidArgument:    http.StatusBadRequest,
	codes.DeadlineExceeded:   http.StatusRequestTimeout,
	codes.NotFound:           http.StatusNotFound,
	codes.AlreadyExists:      http.StatusConflict,
	codes.PermissionDenied:   http.StatusForbidden,
	codes.ResourceExhausted:  http.StatusTooManyRequests,
	codes.FailedPrecondition: http.StatusPreconditionFailed,
	codes.Aborted:            http.StatusConflict,
	codes.OutOfRange:         http.StatusBadRequest,
	codes.Unimplemented:      http.StatusNotImplemented,
	codes.Unavailable:        http.StatusServiceUnavailable,
	codes.Unauthenticated:    http.StatusUnauthorized,
}

// grpcCodes maps the codes of errors.Error to those of gRPC as v2's servers do, and 429,
// which they do not know. A code that is not listed is Unknown; 200 is not, as a failure
// must not look like a success.
var grpcCodes = map[int32]codes.Code{
	http.StatusBadRequest:          codes.InvalidArgument,
	http.StatusUnauthorized:        codes.Unauthenticated,
	http.StatusForbidden:           codes.PermissionDenied,
	http.StatusNotFound:            codes.NotFound,
	http.StatusRequestTimeout:      codes.DeadlineExceeded,
	http.StatusConflict:            codes.AlreadyExists,
	http.StatusPreconditionFailed:  codes.FailedPrecondition,
	http.StatusTooManyRequests:     codes.ResourceExhausted,
	http.StatusInternalServerError: codes.Internal,
	http.StatusNotImplemented:      codes.Unimplemented,
	http.StatusServiceUnavailable:  codes.Unavailable,
}

// ToStatus returns what a server sends for the error of a handler: an errors.Error
// as JSON text with the error itself as a detail, a gRPC status as it is, any
// other error with its text and the nearest code. Wrapped errors count as what
// they wrap. It returns nil for nil alone.
func ToStatus(err error) error {
	if err == nil {
		return nil
	}
	var e *errors.Error
	if stderrors.As(err, &e) {
		return withDetail(microCode(e), e.Error(), &anypb.Any{
			TypeUrl: typeURLPrefix + errors.ProtoName,
			Value:   e.MarshalProto(),
		})
	}
	if s, ok := status.FromError(err); ok && s.Code() != codes.OK {
		return s.Err()
	}
	if m, ok := protomsg.Of(err); ok {
		if detail, aerr := anypb.New(m); aerr == nil {
			return withDetail(errorCode(err), err.Error(), detail)
		}
	}
	return status.Error(errorCode(err), err.Error())
}

func withDetail(code codes.Code, message string, detail *anypb.Any) error {
	return status.ErrorProto(&spb.Status{
		Code:    int32(code),
		Message: strings.ToValidUTF8(message, "\uFFFD"),
		Details: []*anypb.Any{detail},
	})
}

func microCode(e *errors.Error) codes.Code {
	if code, ok := grpcCodes[e.GetCode()]; ok {
		return code
	}
	return codes.Unknown
}

// errorCode returns the code for an error that is neither ours nor grpc's.
func errorCode(err error) codes.Code {
	switch {
	case is(err, context.Canceled):
		return codes.Canceled
	case is(err, context.DeadlineExceeded):
		return codes.DeadlineExceeded
	case is(err, io.EOF):
		return codes.OutOfRange
	case is(err, io.ErrClosedPipe, io.ErrNoProgress, io.ErrShortBuffer, io.ErrShortWrite, io.ErrUnexpectedEOF):
		return codes.FailedPrecondition
	case is(err, os.ErrInvalid):
		return codes.InvalidArgument
	case is(err, os.ErrExist):
		return codes.AlreadyExists
	case is(err, os.ErrNotExist):
		return codes.NotFound
	case is(err, os.ErrPermission):
		return codes.PermissionDenied
	default:
		return codes.Unknown
	}
}

func is(err error, targets ...error) bool {
	for _, t := range targets {
		if stderrors.Is(err, t) {
			return true
		}
	}
	return false
}

// FromStatus returns what a caller gets for the error of a gRPC call: the
// errors.Error that the server sent, as a detail or as the text, and otherwise
// one with the code nearest to the status and its message, word for word. The
// result is nil or an *errors.Error.
func FromStatus(err error) error {
	if err == nil {
		return nil
	}
	var e *errors.Error
	if stderrors.As(err, &e) && e != nil {
		return e
	}
	s, ok := status.FromError(err)
	if !ok {
		return foreign(errorCode(err), err.Error())
	}
	for _, d := range s.Proto().GetDetails() {
		if e := fromDetail(d); e != nil {
			return completed(e, s)
		}
	}
	if e := errors.Parse(s.Message()); e.Code != 0 {
		return completed(e, s)
	}
	return foreign(s.Code(), s.Message())
}

// completed returns the error that a server sent with the status s. A code that
// says nothing, or that all is well, must not hide the failure: then those of s
// count, as they do for a text that is missing.
func completed(e *errors.Error, s *status.Status) error {
	if e.Code > 0 && (e.Code < 200 || e.Code > 299) {
		return e
	}
	detail := e.Detail
	if detail == "" {
		detail = s.Message()
	}
	full := errors.FromError(foreign(s.Code(), detail))
	if e.Id != "" {
		full.Id = e.Id
	}
	return full
}

func foreign(code codes.Code, message string) error {
	n, ok := httpCodes[code]
	if !ok {
		n = http.StatusInternalServerError
	}
	return errors.New(ClientID, message, n)
}

// fromDetail returns the error in a detail, nil if it is of another type or cannot
// be read.
func fromDetail(d *anypb.Any) *errors.Error {
	if d.GetTypeUrl()[strings.LastIndexByte(d.GetTypeUrl(), '/')+1:] != errors.ProtoName {
		return nil
	}
	var e errors.Error
	if e.UnmarshalProto(d.GetValue()) != nil {
		return nil
	}
	return &e
}

package rpc_test

import (
	"context"
	stderrors "errors"
	"fmt"
	"io"
	"os"
	"testing"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	spb "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/known/anypb"

	"github.com/rollcall-go/micro/errors"
	"github.com/rollcall-go/micro/internal/rpc"
	"github.com/rollcall-go/micro/internal/testkit/currentpb"
)

func TestMicroErrorThereAndBack(t *testing.T) {
	for code, want := range map[int32]codes.Code{
		200: codes.Unknown, 400: codes.InvalidArgument, 401: codes.Unauthenticated, 403: codes.PermissionDenied,
		404: codes.NotFound, 408: codes.DeadlineExceeded, 409: codes.AlreadyExists, 412: codes.FailedPrecondition,
		500: codes.Internal, 501: codes.Unimplemented, 503: codes.Unavailable, 499: codes.Unknown, 0: codes.Unknown,
	} {
		in := errors.New("my.id", "100% 服务 \xff", code)
		for _, err := range []error{in, fmt.Errorf("wrapped: %w", in)} {
			out := rpc.ToStatus(err)
			if got := status.Code(out); got != want {
				t.Errorf("code %d becomes %s, want %s", code, got, want)
			}
			arrives := code
			if code == 0 || code == 200 {
				arrives = 500 // a code that says nothing, or that all is well, hides no failure
			}
			back := rpc.FromStatus(out).(*errors.Error)
			if back.Id != "my.id" || back.Code != arrives || back.Detail != "100% 服务 \uFFFD" {
				t.Errorf("code %d came back as %+v", code, back)
			}
		}
	}
}

func TestMicroErrorOnTheWire(t *testing.T) {
	s, _ := status.FromError(rpc.ToStatus(errors.NotFound("my.id", "nope %d", 7)))
	if want := `{"id":"my.id","code":404,"detail":"nope 7","status":"Not Found"}`; s.Message() != want {
		t.Errorf("message is %s, want %s", s.Message(), want)
	}
	d := s.Proto().Details
	if len(d) != 1 || d[0].TypeUrl != "type.googleapis.com/errors.Error" {
		t.Fatalf("details are %v", d)
	}
	if want := "\n\x05my.id\x10\x94\x03\x1a\x06nope 7\"\tNot Found"; string(d[0].Value) != want {
		t.Errorf("detail is %q, want %q", d[0].Value, want)
	}
	if _, err := protoregistry.GlobalTypes.FindMessageByName("errors.Error"); err == nil {
		t.Error("errors.Error is in the registry of the process")
	}
}

func TestNilErrors(t *testing.T) {
	if rpc.ToStatus(nil) != nil || rpc.FromStatus(nil) != nil {
		t.Error("nil became an error")
	}
	var e *errors.Error
	if got := status.Code(rpc.ToStatus(e)); got != codes.Unknown {
		t.Errorf("a nil *Error becomes %s", got)
	}
}

// protoError is an error of a program's own that is a message.
type protoError struct{ *currentpb.SayReply }

func (e protoError) Error() string { return "say: " + e.Text }

func TestOtherErrors(t *testing.T) {
	for _, c := range []struct {
		err  error
		code codes.Code
	}{
		{stderrors.New("plain 100% error"), codes.Unknown},
		{io.EOF, codes.OutOfRange},
		{io.ErrUnexpectedEOF, codes.FailedPrecondition},
		{os.ErrInvalid, codes.InvalidArgument},
		{context.Canceled, codes.Canceled},
		{fmt.Errorf("ask: %w", context.DeadlineExceeded), codes.DeadlineExceeded},
		{&os.PathError{Op: "open", Path: "x", Err: os.ErrNotExist}, codes.NotFound},
		{os.ErrExist, codes.AlreadyExists},
		{os.ErrPermission, codes.PermissionDenied},
		{protoError{&currentpb.SayReply{Text: "no"}}, codes.Unknown},
	} {
		s, _ := status.FromError(rpc.ToStatus(c.err))
		if s.Code() != c.code || s.Message() != c.err.Error() {
			t.Errorf("%v became %v", c.err, s)
		}
	}
	s, _ := status.FromError(rpc.ToStatus(protoError{&currentpb.SayReply{Text: "no"}}))
	if d := s.Details(); len(d) != 1 || d[0].(*currentpb.SayReply).Text != "no" {
		t.Errorf("details are %v", d)
	}
}

func TestStatusOfAHandlerIsKept(t *testing.T) {
	in, err := status.New(codes.NotFound, "no such thing").WithDetails(&errdetails.BadRequest{})
	if err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{in.Err(), fmt.Errorf("no such thing: %w", in.Err())} {
		s, _ := status.FromError(rpc.ToStatus(err))
		if s.Code() != codes.NotFound || len(s.Details()) != 1 {
			t.Errorf("%v became %v", err, s)
		}
	}
}

func TestForeignStatus(t *testing.T) {
	for code, want := range map[codes.Code]int32{
		codes.Canceled: 408, codes.Unknown: 500, codes.InvalidArgument: 400, codes.DeadlineExceeded: 408,
		codes.NotFound: 404, codes.AlreadyExists: 409, codes.PermissionDenied: 403, codes.ResourceExhausted: 429,
		codes.FailedPrecondition: 412, codes.Aborted: 409, codes.OutOfRange: 400, codes.Unimplemented: 501,
		codes.Internal: 500, codes.Unavailable: 503, codes.DataLoss: 500, codes.Unauthenticated: 401, 77: 500,
	} {
		e := rpc.FromStatus(status.Error(code, "plain 100% error %d here")).(*errors.Error)
		if e.Code != want || e.Id != "go.micro.client" || e.Detail != "plain 100% error %d here" {
			t.Errorf("%s became %+v, want code %d", code, e, want)
		}
	}
	if e := rpc.FromStatus(context.DeadlineExceeded).(*errors.Error); e.Code != 408 {
		t.Errorf("the end of a deadline became %+v", e)
	}
}

func TestForeignDetails(t *testing.T) {
	bad, err := anypb.New(&errdetails.BadRequest{})
	if err != nil {
		t.Fatal(err)
	}
	ours := errors.New("my.id", "ours", 404).(*errors.Error)
	mine := &anypb.Any{TypeUrl: "type.googleapis.com/errors.Error", Value: ours.MarshalProto()}
	for name, c := range map[string]struct {
		details []*anypb.Any
		message string
		code    int32
	}{
		"another type":          {[]*anypb.Any{bad}, "text", 400},
		"a type nobody knows":   {[]*anypb.Any{{TypeUrl: "example.com/no.Such", Value: []byte("x")}}, "text", 400},
		"ours behind another":   {[]*anypb.Any{bad, mine}, "text", 404},
		"ours, cut short":       {[]*anypb.Any{{TypeUrl: mine.TypeUrl, Value: mine.Value[:3]}}, "text", 400},
		"nothing in it":         {[]*anypb.Any{nil, {}}, "text", 400},
		"JSON in the message":   {nil, `{"id":"my.id","code":404}`, 404},
		"JSON without a code":   {nil, `{"id":"my.id"}`, 400},
		"JSON of another shape": {nil, `[1,2]`, 400},
	} {
		got := rpc.FromStatus(status.ErrorProto(&spb.Status{Code: int32(codes.InvalidArgument), Message: c.message, Details: c.details}))
		if e := got.(*errors.Error); e.Code != c.code {
			t.Errorf("%s: got %+v, want code %d", name, e, c.code)
		}
	}
}

// What a server says in a detail does not hide that the
// call failed, nor how.
func TestDetailWithoutACode(t *testing.T) {
	for name, tc := range map[string]struct {
		detail *errors.Error
		want   errors.Error
	}{
		"empty":          {&errors.Error{}, errors.Error{Id: rpc.ClientID, Code: 404, Detail: "m", Status: "Not Found"}},
		"all is well":    {&errors.Error{Id: "x", Code: 200, Detail: "d", Status: "OK"}, errors.Error{Id: "x", Code: 404, Detail: "d", Status: "Not Found"}},
		"negative":       {&errors.Error{Code: -1}, errors.Error{Id: rpc.ClientID, Code: 404, Detail: "m", Status: "Not Found"}},
		"of the program": {&errors.Error{Id: "x", Code: 10001, Detail: "d"}, errors.Error{Id: "x", Code: 10001, Detail: "d"}},
	} {
		e := errors.FromError(rpc.FromStatus(status.ErrorProto(&spb.Status{
			Code: int32(codes.NotFound), Message: "m",
			Details: []*anypb.Any{{TypeUrl: "type.googleapis.com/" + errors.ProtoName, Value: tc.detail.MarshalProto()}},
		})))
		if e.Id != tc.want.Id || e.Code != tc.want.Code || e.Detail != tc.want.Detail || e.Status != tc.want.Status {
			t.Errorf("%s: got %v, want %v", name, e, &tc.want)
		}
	}
	e := errors.FromError(rpc.FromStatus(status.Error(codes.NotFound, `{"id":"x","code":200,"detail":"d"}`)))
	if e.Code != 404 || e.Detail != "d" {
		t.Errorf("in the text: got %v", e)
	}
}

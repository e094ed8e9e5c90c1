package errors

import (
	stderrors "errors"
	"fmt"
	"io"
	"testing"
)

func TestConstructors(t *testing.T) {
	for _, tt := range []struct {
		make   func(id, format string, a ...any) error
		code   int32
		status string
	}{
		{BadRequest, 400, "Bad Request"},
		{Unauthorized, 401, "Unauthorized"},
		{Forbidden, 403, "Forbidden"},
		{NotFound, 404, "Not Found"},
		{MethodNotAllowed, 405, "Method Not Allowed"},
		{Timeout, 408, "Request Timeout"},
		{Conflict, 409, "Conflict"},
		{InternalServerError, 500, "Internal Server Error"},
	} {
		want := Error{Id: "my.id", Code: tt.code, Detail: "nope 7", Status: tt.status}
		if got := FromError(tt.make("my.id", "nope %d", 7)); *got != want {
			t.Errorf("got %v, want %v", got, &want)
		}
	}
}

func TestErrorIsJSON(t *testing.T) {
	for want, err := range map[string]error{
		`{"id":"my.id","code":404,"detail":"nope","status":"Not Found"}`: NotFound("my.id", "nope"),
		`{"id":"my.id","code":499,"detail":"custom"}`:                    New("my.id", "custom", 499),
		`{}`: &Error{},
	} {
		if got := err.Error(); got != want {
			t.Errorf("Error() = %s, want %s", got, want)
		}
	}
}

func TestDetailWithoutArgumentsIsVerbatim(t *testing.T) {
	badRequest := BadRequest // hides the format from vet, as a careless program would
	for format, want := range map[string]string{
		"plain 100% error %d here": "plain 100% error %d here",
		"100%% of them":            "100% of them",
	} {
		if got := FromError(badRequest("id", format)).Detail; got != want {
			t.Errorf("detail of format %q = %q, want %q", format, got, want)
		}
	}
	if got := FromError(New("id", "100%% %d", 1)).Detail; got != "100%% %d" {
		t.Errorf("New changed the detail to %q", got)
	}
}

func TestParse(t *testing.T) {
	err := NotFound("my.id", "nope")
	if got := Parse(err.Error()); *got != *FromError(err) {
		t.Errorf("Parse = %v, want %v", got, err)
	}
	for _, text := range []string{"", "boom", "{", "null", "{}", `{"other":1}`, `{"id":"x","code":"y"}`, "404"} {
		if got, want := *Parse(text), (Error{Detail: text}); got != want {
			t.Errorf("Parse(%q) = %v, want %v", text, &got, &want)
		}
	}
}

func TestFromError(t *testing.T) {
	err := Conflict("my.id", "twice")
	if got := FromError(fmt.Errorf("call: %w", err)); got != err {
		t.Errorf("FromError of a wrapped error = %v, want %v itself", got, err)
	}
	if got := FromError(stderrors.New(err.Error())); *got != *FromError(err) {
		t.Errorf("FromError of its text = %v, want %v", got, err)
	}
	if got, want := *FromError(io.EOF), (Error{Detail: "EOF"}); got != want {
		t.Errorf("FromError(io.EOF) = %v, want %v", &got, &want)
	}
	if got := FromError(nil); got != nil {
		t.Errorf("FromError(nil) = %v, want nil", got)
	}
	var none *Error
	if got := FromError(none); got == nil || got.Code != 0 {
		t.Errorf("FromError of a nil pointer = %v, want an unknown error", got)
	}
}

func TestEqual(t *testing.T) {
	a, b := NotFound("a", "x"), NotFound("b", "y")
	for _, tt := range []struct {
		err1, err2 error
		want       bool
	}{
		{a, b, true},
		{a, fmt.Errorf("call: %w", b), true},
		{a, Conflict("a", "x"), false},
		{a, io.EOF, false},
		{io.EOF, a, false},
		{io.EOF, io.EOF, true},
		{io.EOF, fmt.Errorf("read: %w", io.EOF), true},
		{stderrors.New("x"), stderrors.New("x"), false},
		{nil, nil, true},
		{nil, a, false},
		{(*Error)(nil), a, false},
	} {
		if got := Equal(tt.err1, tt.err2); got != tt.want {
			t.Errorf("Equal(%v, %v) = %v, want %v", tt.err1, tt.err2, got, tt.want)
		}
	}
}

func TestWrapKeepsTheCause(t *testing.T) {
	err := Wrap("my.id", "look up: nothing", 500, fmt.Errorf("read: %w", io.EOF))
	if !stderrors.Is(err, io.EOF) {
		t.Errorf("%v hides its cause", err)
	}
	if got, want := err.Error(), New("my.id", "look up: nothing", 500).Error(); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if err, ok := err.(*Error); !ok || err.Code != 500 {
		t.Errorf("got %T, want an *Error with code 500", err)
	}
	if stderrors.Unwrap((*Error)(nil)) != nil || stderrors.Unwrap(New("", "", 500)) != nil {
		t.Error("an error without a cause has one")
	}
}

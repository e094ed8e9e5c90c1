// Package errors is the error that a call gives back: an id that says who made
// it, a code after the manner of HTTP, and a detail for people. Its text is JSON,
// so that it survives a transport that carries nothing but text.
//
// The errors made here are pointers to Error and are found by errors.As of the
// standard library through any wrapping.
package errors

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
)

// Error is the failure of a call. Its zero value, and a nil pointer, is an
// unknown error.
type Error struct {
	// Id names who made the error, by habit a service.
	Id string `protobuf:"bytes,1,opt,name=id,proto3" json:"id,omitempty"`
	// Code is an HTTP status code or a number of the program's own.
	Code int32 `protobuf:"varint,2,opt,name=code,proto3" json:"code,omitempty"`
	// Detail says what went wrong.
	Detail string `protobuf:"bytes,3,opt,name=detail,proto3" json:"detail,omitempty"`
	// Status is the standard text of Code, empty for a code that has none.
	Status string `protobuf:"bytes,4,opt,name=status,proto3" json:"status,omitempty"`

	cause error
}

var _ error = (*Error)(nil)

// Error returns the error as JSON.
func (e *Error) Error() string {
	b, err := json.Marshal(e)
	if err != nil { // no field can fail to marshal
		return e.GetDetail()
	}
	return string(b)
}

// Unwrap returns the cause that was given to Wrap, nil if there is none.
func (e *Error) Unwrap() error {
	if e == nil {
		return nil
	}
	return e.cause
}

// New returns an error with the given detail, word for word.
func New(id, detail string, code int32) error {
	return &Error{Id: id, Code: code, Detail: detail, Status: http.StatusText(int(code))}
}

// Wrap returns an error like that of New, in which errors.Is and errors.As of the
// standard library also find the cause. The cause stays in this process: neither
// the text nor the message on the wire has it.
func Wrap(id, detail string, code int32, cause error) error {
	return &Error{Id: id, Code: code, Detail: detail, Status: http.StatusText(int(code)), cause: cause}
}

// newf formats the detail. Without arguments the format is taken word for word,
// except that %% is one per cent sign: programs hand over the text of another
// error as the format, which may contain anything.
func newf(id string, code int32, format string, a ...any) error {
	if len(a) == 0 {
		return New(id, strings.ReplaceAll(format, "%%", "%"), code)
	}
	return New(id, fmt.Sprintf(format, a...), code)
}

// BadRequest returns an error with code 400.
func BadRequest(id, format string, a ...any) error {
	return newf(id, http.StatusBadRequest, format, a...)
}

// Unauthorized returns an error with code 401.
func Unauthorized(id, format string, a ...any) error {
	return newf(id, http.StatusUnauthorized, format, a...)
}

// Forbidden returns an error with code 403.
func Forbidden(id, format string, a ...any) error {
	return newf(id, http.StatusForbidden, format, a...)
}

// NotFound returns an error with code 404.
func NotFound(id, format string, a ...any) error {
	return newf(id, http.StatusNotFound, format, a...)
}

// MethodNotAllowed returns an error with code 405.
func MethodNotAllowed(id, format string, a ...any) error {
	return newf(id, http.StatusMethodNotAllowed, format, a...)
}

// Timeout returns an error with code 408.
func Timeout(id, format string, a ...any) error {
	return newf(id, http.StatusRequestTimeout, format, a...)
}

// Conflict returns an error with code 409.
func Conflict(id, format string, a ...any) error {
	return newf(id, http.StatusConflict, format, a...)
}

// InternalServerError returns an error with code 500.
func InternalServerError(id, format string, a ...any) error {
	return newf(id, http.StatusInternalServerError, format, a...)
}

// Parse reads the text of an error. A text that is not the JSON of one, or that
// says nothing, becomes the detail, so that no text is lost. Parse never returns
// nil.
func Parse(err string) *Error {
	var e Error
	if json.Unmarshal([]byte(err), &e) != nil || e == (Error{}) {
		return &Error{Detail: err}
	}
	return &e
}

// FromError returns the Error that err is or wraps; any other error is parsed
// from its text. A nil error gives nil.
func FromError(err error) *Error {
	if err == nil {
		return nil
	}
	var e *Error
	if errors.As(err, &e) && e != nil {
		return e
	}
	return Parse(err.Error())
}

// Equal reports whether both errors are, or wrap, an Error of the same code; of
// two other errors, whether they are the same. Wrapped errors count as the error
// that they wrap.
func Equal(err1, err2 error) bool {
	var e1, e2 *Error
	ok1, ok2 := errors.As(err1, &e1), errors.As(err2, &e2)
	switch {
	case ok1 && ok2:
		return e1.GetCode() == e2.GetCode()
	case ok1 || ok2:
		return false
	default:
		return errors.Is(err1, err2) || errors.Is(err2, err1)
	}
}

package http_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"

	mhttp "github.com/rollcall-go/micro/compat/util/http"
	"github.com/rollcall-go/micro/metadata"
)

func TestAnswers(t *testing.T) {
	for status, write := range map[int]func(http.ResponseWriter, error){400: mhttp.WriteBadRequestError, 500: mhttp.WriteInternalServerError} {
		w := httptest.NewRecorder()
		write(w, errors.New(`no "x"`))
		if w.Code != status || w.Body.String() != `{"error":"no \"x\""}` || w.Header().Get("Content-Type") != "application/json" || w.Header().Get("Content-Length") != "20" {
			t.Errorf("%d: answered %d %s %v", status, w.Code, w.Body, w.Header())
		}
	}
}

func TestRequestToContext(t *testing.T) {
	r := httptest.NewRequest("GET", "/", nil)
	r.Header.Set("Authorization", "Bearer x")
	if got, _ := metadata.Get(mhttp.RequestToContext(r), "authorization"); got != "Bearer x" {
		t.Errorf("got %q", got)
	}
}

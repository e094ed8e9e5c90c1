package grpc

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/rollcall-go/micro/internal/announce"
)

type readiness struct{ err error }

func (r readiness) Ready() error { return r.err }

func TestReadinessOverHTTP(t *testing.T) {
	for _, tc := range []struct {
		err  error
		code int
		body string
	}{
		{nil, http.StatusOK, "ready\n"},
		{errors.New("etcd (10.0.0.5:2379) refuses user \"root\""), http.StatusServiceUnavailable, "not ready\n"},
		{announce.NewNotReady(errors.New("etcd (10.0.0.5:2379) is away"), "paused since 10:00:00"), http.StatusServiceUnavailable, "not ready: paused since 10:00:00\n"},
	} {
		w := httptest.NewRecorder()
		ReadinessHandler(readiness{tc.err}).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/ready", nil))
		if w.Code != tc.code || w.Body.String() != tc.body {
			t.Errorf("%v: got %d %q", tc.err, w.Code, w.Body)
		}
	}
	w := httptest.NewRecorder()
	ReadinessHandler(NewServer().(interface{ Ready() error })).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/ready", nil))
	if w.Code != http.StatusServiceUnavailable {
		t.Errorf("a server that was not started is ready: %s", w.Body)
	}
}

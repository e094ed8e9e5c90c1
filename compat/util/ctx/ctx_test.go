package ctx_test

import (
	"net/http"
	"testing"

	"github.com/rollcall-go/micro/compat/util/ctx"
	"github.com/rollcall-go/micro/metadata"
)

func TestFromRequest(t *testing.T) {
	r := &http.Request{Header: http.Header{"Authorization": {"Bearer x"}, "Accept": {"a", "b"}}}
	c := ctx.FromRequest(r)
	for name, want := range map[string]string{"Authorization": "Bearer x", "Accept": "a,b"} {
		if got, _ := metadata.Get(c, name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
}

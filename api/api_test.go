package api

import (
	"maps"
	"reflect"
	"strings"
	"testing"

	"github.com/rollcall-go/micro/server"
)

var hello = &Endpoint{
	Name:        "Greeter.Hello",
	Description: "says hello",
	Handler:     "rpc",
	Host:        []string{"example.com", "example.org"},
	Method:      []string{"GET", "POST"},
	Path:        []string{"/greeter/{name}", "^/hello/?$"},
}

var helloMetadata = map[string]string{
	"endpoint":    "Greeter.Hello",
	"description": "says hello",
	"handler":     "rpc",
	"host":        "example.com,example.org",
	"method":      "GET,POST",
	"path":        "/greeter/{name},^/hello/?$",
}

func TestEncodeDecode(t *testing.T) {
	if got := Encode(hello); !maps.Equal(got, helloMetadata) {
		t.Errorf("Encode = %v, want %v", got, helloMetadata)
	}
	if got := Decode(helloMetadata); !reflect.DeepEqual(got, hello) {
		t.Errorf("Decode = %+v, want %+v", got, hello)
	}
	if got := Encode(&Endpoint{Name: "A.B", Body: "*", Stream: true}); !maps.Equal(got, map[string]string{"endpoint": "A.B"}) {
		t.Errorf("Encode of a name alone = %v", got)
	}
	if got := Decode(map[string]string{"method": " GET , ,POST,"}); !reflect.DeepEqual(got.Method, []string{"GET", "POST"}) {
		t.Errorf("Decode reads methods %q", got.Method)
	}
	if Encode(nil) != nil || Decode(nil) != nil {
		t.Error("nil does not give nil")
	}
}

func TestWithEndpoint(t *testing.T) {
	o := server.HandlerOptions{Metadata: map[string]map[string]string{}}
	WithEndpoint(hello)(&o)
	if got := o.Metadata["Greeter.Hello"]; !maps.Equal(got, helloMetadata) {
		t.Errorf("metadata %v, want %v", got, helloMetadata)
	}
}

func TestValidate(t *testing.T) {
	for _, tt := range []struct {
		e    *Endpoint
		want string // in the error; none if empty
	}{
		{hello, ""},
		{&Endpoint{Name: "A.B", Handler: "rpc"}, ""},
		{nil, "nil"},
		{&Endpoint{Handler: "rpc"}, "no name"},
		{&Endpoint{Name: "A.B"}, `"A.B": it has no handler`},
		{&Endpoint{Name: "A.B", Handler: "rpc", Path: []string{""}}, "empty"},
		{&Endpoint{Name: "A.B", Handler: "rpc", Path: []string{"^/a"}}, `"^/a" is half`},
		{&Endpoint{Name: "A.B", Handler: "rpc", Path: []string{"/a", "/a$"}}, `"/a$" is half`},
		{&Endpoint{Name: "A.B", Handler: "rpc", Path: []string{"^/(a$"}}, `read path "^/(a$"`},
	} {
		err := Validate(tt.e)
		if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
			t.Errorf("Validate(%+v) = %v, want %q", tt.e, err, tt.want)
		}
	}
}

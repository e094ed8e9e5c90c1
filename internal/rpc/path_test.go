package rpc_test

import (
	"testing"

	"github.com/rollcall-go/micro/internal/rpc"
)

func TestPath(t *testing.T) {
	for _, c := range []struct{ service, endpoint, want string }{
		{"go.micro.demo", "Greeter.Hello", "/go.micro.demo.Greeter/Hello"},
		{"", "Greeter.Hello", "/Greeter/Hello"},
		{"demo", "/demo.v1.Greeter/Hello", "/demo.v1.Greeter/Hello"},
		{"demo", "", ""},
		{"demo", "Hello", "Hello"},
		{"demo", "a.b.Hello", "a.b.Hello"},
		{"demo", "Greeter/Hello", "Greeter/Hello"},
	} {
		if got := rpc.Path(c.service, c.endpoint); got != c.want {
			t.Errorf("Path(%q, %q) = %q, want %q", c.service, c.endpoint, got, c.want)
		}
	}
}

func TestSplitPath(t *testing.T) {
	for _, c := range []struct{ path, handler, method, prefix string }{
		{"/Greeter/Hello", "Greeter", "Hello", ""},
		{"/demo.Greeter/Hello", "Greeter", "Hello", "demo"},
		{"/a.b.c.Greeter/Hello", "Greeter", "Hello", "a.b.c"},
		{"/.Greeter/Hello", "Greeter", "Hello", ""},
		{"/a/b.Greeter/Hello", "Greeter", "Hello", "a/b"}, // a service with a slash in its name
		{"/a/b.c/d.Greeter/Hello", "Greeter", "Hello", "a/b.c/d"},
		{"/x.y/z/.Greeter/Hello", "Greeter", "Hello", "x.y/z/"},
	} {
		handler, method, err := rpc.SplitPath(c.path)
		if err != nil || handler != c.handler || method != c.method {
			t.Errorf("SplitPath(%q) = %q, %q, %v", c.path, handler, method, err)
		}
		if got := rpc.PathPrefix(c.path); got != c.prefix {
			t.Errorf("PathPrefix(%q) = %q, want %q", c.path, got, c.prefix)
		}
	}
	for _, path := range []string{"", "/", "//", "Greeter/Hello", "Greeter.Hello", "/Greeter", "/Greeter/", "//Hello", "/Greeter/Hello/There", "/demo./Hello", "///x", "/a.b/c/Hello", "/a/b.Greeter/"} {
		if handler, method, err := rpc.SplitPath(path); err == nil {
			t.Errorf("SplitPath(%q) = %q, %q, want an error", path, handler, method)
		}
		if got := rpc.PathPrefix(path); got != "" {
			t.Errorf("PathPrefix(%q) = %q, want none", path, got)
		}
	}
}

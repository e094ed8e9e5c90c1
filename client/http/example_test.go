package http_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"

	"github.com/rollcall-go/micro/client"
	microhttp "github.com/rollcall-go/micro/client/http"
	"github.com/rollcall-go/micro/registry"
	"github.com/rollcall-go/micro/registry/memory"
)

// An http.Client whose addresses have names of services where others have hosts. Any HTTP
// server will do at the other end; one of package web registers itself.
func ExampleNewRoundTripper() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "Hello, %s! You asked for %s.", r.FormValue("name"), r.Host)
	}))
	defer server.Close()
	r := memory.NewRegistry()
	if err := r.Register(&registry.Service{
		Name:  "greeter",
		Nodes: []*registry.Node{{Id: "1", Address: server.Listener.Addr().String()}},
	}); err != nil {
		fmt.Println(err)
		return
	}

	rt := microhttp.NewRoundTripper(client.Registry(r), client.Retries(2))
	defer rt.Close()
	c := &http.Client{Transport: rt}
	rsp, err := c.Get("http://greeter/hello?name=Jo")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer rsp.Body.Close()
	body, err := io.ReadAll(rsp.Body)
	fmt.Println(string(body), err)
	// Output: Hello, Jo! You asked for greeter. <nil>
}

package web_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/rollcall-go/micro/registry/memory"
	"github.com/rollcall-go/micro/web"
)

// A web service, and a request that finds it by its name.
func Example() {
	service := web.NewService(
		web.Name("greeter"),
		web.Address("127.0.0.1:0"),
		web.Registry(memory.NewRegistry()), // a flag of a program names it
		web.RegistrationWait(time.Minute),  // which Start then waits for
	)
	service.HandleFunc("/hello", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "Hello, %s!", r.FormValue("name"))
	})
	// A program calls Init, which reads the command line, and Run, which returns after a
	// signal. Start and Stop are for who has a loop of his own.
	s := service.(interface {
		Start() error
		Stop() error
	})
	if err := s.Start(); err != nil {
		fmt.Println(err)
		return
	}
	rsp, err := service.Client().Get("http://greeter/hello?name=Jo")
	if err != nil {
		fmt.Println(err)
		return
	}
	body, err := io.ReadAll(rsp.Body)
	fmt.Println(string(body), err)
	fmt.Println(rsp.Body.Close(), s.Stop())
	// Output:
	// Hello, Jo! <nil>
	// <nil> <nil>
}

// A router, of net/http here, of gin, echo or chi elsewhere, serves all requests. Its paths
// are not in the registry.
func ExampleHandler() {
	router := http.NewServeMux()
	router.HandleFunc("GET /users/{id}", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "This is %s.", r.PathValue("id"))
	})
	service := web.NewService(
		web.Name("users"),
		web.Address("127.0.0.1:0"),
		web.Registry(memory.NewRegistry()), // a flag of a program names it
		web.RegistrationWait(time.Minute),  // which Start then waits for
		web.Handler(router),
		web.Readiness("/readyz"),
	)
	s := service.(interface {
		Start() error
		Stop() error
	})
	if err := s.Start(); err != nil {
		fmt.Println(err)
		return
	}
	for _, path := range []string{"/users/jo", "/readyz"} {
		rsp, err := service.Client().Get("http://users" + path)
		if err != nil {
			fmt.Println(err)
			return
		}
		body, err := io.ReadAll(rsp.Body)
		fmt.Println(rsp.StatusCode, strings.TrimSpace(string(body)), err, rsp.Body.Close())
	}
	fmt.Println(s.Stop())
	// Output:
	// 200 This is jo. <nil> <nil>
	// 200 ready <nil> <nil>
	// <nil>
}

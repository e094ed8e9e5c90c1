package faults

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"testing"

	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/web"
)

const (
	// webNodeVariable makes a test binary a web service.
	webNodeVariable = "ROLLCALL_FAULTS_WEB"
	// webName is that of the web services.
	webName = "page"
)

// runWebNode is a process that is a web service. Its flags are those of every service. It
// answers with the id that a request has, and says which address did.
func runWebNode() error {
	s := web.NewService(web.Name(webName), web.Address("127.0.0.1:0"))
	s.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Node", r.Context().Value(http.LocalAddrContextKey).(fmt.Stringer).String())
		fmt.Fprint(w, r.FormValue("id"))
	})
	if err := s.Init(); err != nil {
		return err
	}
	return s.Run()
}

// webNode starts a web service in a process of its own, and returns where it listens. It is
// killed at the end of the test at the latest.
func webNode(t *testing.T, etcd string) (p *testkit.Process, address string) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "--registry=etcd", "--registry_address="+etcd, "--register_ttl=120")
	cmd.Env = append(os.Environ(), webNodeVariable+"=1")
	p = testkit.StartProcess(t, cmd)
	address = p.Says(t, `Listening on (\S+)`)
	p.Says(t, "Registering node: ")
	return p, address
}

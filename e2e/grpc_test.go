package e2e

import (
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/rollcall-go/micro/internal/testkit"
	"github.com/rollcall-go/micro/internal/testkit/fleet"
	"github.com/rollcall-go/micro/internal/testkit/micropb/kinds"
	"github.com/rollcall-go/micro/resolver"
)

// talkService is the full name of the service that the processes of a fleet serve by
// generated code.
const talkService = "rollcall.test.kinds.Talk"

// grpcurl, which knows nothing of the service but what that says of itself, calls a
// method of every kind.
func TestGrpcurl(t *testing.T) {
	t.Parallel()
	dir, err := buildGrpcurl()
	testkit.Require(t, "grpcurl", err)
	address := fleet.Process(t, "--registry=memory").Says(t, `Listening on (\S+)`)
	message := func(n int) string { return fmt.Sprintf(`{"text": %q, "number": %d}`, fleet.Seal(10), n) }
	for _, tc := range []struct {
		what  string
		input string
		args  []string
		want  []string // texts, as often as they are to be there
	}{
		{"list", "", []string{address, "list"}, []string{talkService, "grpc.health.v1.Health"}},
		{"list the methods", "", []string{address, "list", talkService}, []string{".Say\n", ".Count\n", ".Sum\n", ".Chat\n"}},
		{"describe", "", []string{address, "describe", talkService}, []string{
			"rpc Say ( .rollcall.test.kinds.Words ) returns ( .rollcall.test.kinds.Words )",
			"rpc Count ( .rollcall.test.kinds.Words ) returns ( stream .rollcall.test.kinds.Words )",
			"rpc Sum ( stream .rollcall.test.kinds.Words ) returns ( .rollcall.test.kinds.Words )",
			"rpc Chat ( stream .rollcall.test.kinds.Words ) returns ( stream .rollcall.test.kinds.Words )",
		}},
		{"unary", message(7), []string{"-d", "@", address, talkService + "/Say"}, []string{`"number": "7"`}},
		{"from the server", message(3), []string{"-d", "@", address, talkService + "/Count"}, []string{`"number": "1"`, `"number": "2"`}},
		{"to the server", message(1) + message(2) + message(3), []string{"-d", "@", address, talkService + "/Sum"}, []string{`"number": "3"`}},
		{"both ways", message(4) + message(5), []string{"-d", "@", address, talkService + "/Chat"}, []string{`"number": "4"`, `"number": "5"`}},
	} {
		cmd := exec.Command(filepath.Join(dir, "grpcurl"), append([]string{"-plaintext", "-max-time", "60"}, tc.args...)...)
		cmd.Stdin = strings.NewReader(tc.input)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Errorf("%s: %v\n%s", tc.what, err, out)
		}
		for _, want := range tc.want {
			if strings.Count(string(out), want) != 1 {
				t.Errorf("%s: %q is not there once:\n%s", tc.what, want, out)
			}
		}
	}
}

// words has whatever a stub of protoc-gen-go-grpc would call on a connection.
type words struct{ cc grpc.ClientConnInterface }

func (w words) open(t *testing.T, method string, desc grpc.StreamDesc) grpc.ClientStream {
	t.Helper()
	s, err := w.cc.NewStream(t.Context(), &desc, "/"+talkService+"/"+method, grpc.WaitForReady(true))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// check calls a method of every kind, each as the stubs of grpc do: by a description
// that says which side streams.
func (w words) check(t *testing.T) {
	t.Helper()
	in, out := &kinds.Words{Text: fleet.Seal(100), Number: 3}, &kinds.Words{}
	if err := w.cc.Invoke(t.Context(), "/"+talkService+"/Say", in, out, grpc.WaitForReady(true)); err != nil || out.Text != in.Text {
		t.Errorf("unary: %v, %v", out, err)
	}

	count := w.open(t, "Count", grpc.StreamDesc{ServerStreams: true})
	if err := count.SendMsg(in); err != nil {
		t.Fatal(err)
	}
	if err := count.CloseSend(); err != nil {
		t.Fatal(err)
	}
	for i := range in.Number {
		if err := count.RecvMsg(out); err != nil || out.Number != i || out.Text != in.Text {
			t.Errorf("from the server: message %d: %v, %v", i, out, err)
		}
	}
	if err := count.RecvMsg(out); err != io.EOF {
		t.Errorf("from the server: at the end: %v", err)
	}

	sum := w.open(t, "Sum", grpc.StreamDesc{ClientStreams: true})
	for range 3 {
		if err := sum.SendMsg(in); err != nil {
			t.Fatal(err)
		}
	}
	if err := sum.CloseSend(); err != nil {
		t.Fatal(err)
	}
	if err := sum.RecvMsg(out); err != nil || out.Number != 3 {
		t.Errorf("to the server: %v, %v", out, err)
	}

	chat := w.open(t, "Chat", grpc.StreamDesc{ServerStreams: true, ClientStreams: true})
	for range 3 {
		if err := chat.SendMsg(in); err != nil {
			t.Fatal(err)
		}
		if err := chat.RecvMsg(out); err != nil || out.Text != in.Text {
			t.Errorf("both ways: %v, %v", out, err)
		}
	}
	if err := chat.CloseSend(); err != nil {
		t.Fatal(err)
	}
	if err := chat.RecvMsg(out); err != io.EOF {
		t.Errorf("both ways: at the end: %v", err)
	}
}

// A program of plain grpc-go calls a method of every kind, by address, and by name
// through the resolver, which goes on when etcd dies, restarts and tells of other nodes.
func TestPlainGRPC(t *testing.T) {
	t.Parallel()
	e := testkit.StartEtcd(t)
	flags := []string{"--registry=etcd", "--registry_address=" + e.Addr(), "--register_ttl=3"}
	node := fleet.Process(t, flags...)
	node.Says(t, "Registering node: ")
	dial := func(target string, opts ...grpc.DialOption) words {
		cc, err := grpc.NewClient(target, append(opts, grpc.WithTransportCredentials(insecure.NewCredentials()))...)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { fleet.Close(t, cc) })
		return words{cc}
	}
	dial(node.Says(t, `Listening on (\S+)`)).check(t)

	byName := dial("rollcall:///"+fleet.ProcessName, grpc.WithResolvers(resolver.NewBuilder(fleet.Registry(t, e.Addr()))))
	byName.check(t)
	e.Kill()
	byName.check(t) // by what is known
	e.Restart(t)
	other := fleet.Process(t, flags...)
	other.Says(t, "Registering node: ")
	r := fleet.Registry(t, e.Addr())
	testkit.Eventually(t, time.Minute, "both nodes are listed", func() bool { return fleet.Listed(r, fleet.ProcessName, 2) })
	node.Stop(t)
	testkit.Eventually(t, time.Minute, "the node that is left answers", func() bool {
		in := &kinds.Words{Text: fleet.Seal(10)}
		return byName.cc.Invoke(t.Context(), "/"+talkService+"/Say", in, &kinds.Words{}) == nil
	})
	byName.check(t)
}

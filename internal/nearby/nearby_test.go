package nearby

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/rollcall-go/micro/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

func TestEtcd(t *testing.T) {
	for answer, want := range map[string]bool{
		`{"etcdserver":"3.5.27","etcdcluster":"3.5.0"}`: true,
		`<html>`: false,
		strings.Repeat(" ", 2*maxVersion) + `{"etcdserver":"3"}`: false,
	} {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(answer)) }))
		if got := Etcd(t.Context(), s.Listener.Addr().String()); got != want {
			t.Errorf("%.20q: got %v", answer, got)
		}
		s.Close()
	}
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if Etcd(t.Context(), silent.Addr().String()) {
		t.Error("who says nothing is taken for an etcd")
	}
	if err := silent.Close(); err != nil {
		t.Error(err)
	}
	if Etcd(t.Context(), silent.Addr().String()) {
		t.Error("nobody is taken for an etcd")
	}
	over, cancel := context.WithCancel(t.Context())
	cancel()
	if Etcd(over, EtcdAddress) {
		t.Error("an etcd was asked after the end of the context")
	}
}
